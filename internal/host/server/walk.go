package server

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// errMoved means that a tree changed its shape under a walk, so that the way
// back up no longer leads where it came from.
var errMoved = errors.New("directory was moved meanwhile")

// visitor is what walk does with a tree. The tree belongs to a hostile app:
// names and types are its choice, and it may change them at any moment.
type visitor struct {
	// enter is called for each entry, directories included, before what is in
	// them. dir is the open directory that name is in.
	enter func(dir int, name string, st *unix.Stat_t) error
	// leave, if set, is called for a directory after what is in it.
	leave func(dir int, name string) error
	// deep, if set, is called instead for a directory that lies maxDepth levels
	// below the top; the walk does not go into it.
	deep func(dir int, name string) error
}

// maxDepth is where a walk calls deep. What a walk remembers of the way back up
// would otherwise grow with the depth of the tree, which is the app's choice.
const maxDepth = 4096

// level is a directory between the top of a walk and where it is now.
type level struct {
	dev, ino uint64
	name     string // in its parent
	offset   int64  // of the first entry that was not visited yet
}

// walker holds one open directory however deep the tree is, since an app can
// nest directories beyond any limit on descriptors or path lengths. It never
// follows a symlink, never crosses a mount, and verifies each step up.
type walker struct {
	visitor
	cur    int // the directory at the end of levels
	levels []level
	buf    [16 << 10]byte
}

// walk visits all entries below the directory top, which stays open.
func walk(ctx context.Context, top int, v visitor) error {
	fd, err := openDir(top, ".")
	if err != nil {
		return err
	}
	w := &walker{visitor: v, cur: fd}
	defer func() { unix.Close(w.cur) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	w.levels = []level{{dev: st.Dev, ino: st.Ino}}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := unix.Getdents(w.cur, w.buf[:])
		if err != nil {
			return os.NewSyscallError("getdents", err)
		}
		if n > 0 {
			err = w.entries(w.buf[:n])
		} else if len(w.levels) == 1 {
			return nil
		} else {
			err = w.up()
		}
		if err != nil {
			return err
		}
	}
}

// entries visits the entries of one chunk, or as far as the first directory,
// which it descends into; the rest is read again on the way back.
func (w *walker) entries(chunk []byte) error {
	for len(chunk) > 0 {
		name, offset, rest := parseDirent(chunk)
		chunk = rest
		w.levels[len(w.levels)-1].offset = offset
		if name == "." || name == ".." || name == "" {
			continue
		}
		var st unix.Stat_t
		err := unix.Fstatat(w.cur, name, &st, unix.AT_SYMLINK_NOFOLLOW)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return os.NewSyscallError("fstatat", err)
		}
		if err := w.enter(w.cur, name, &st); err != nil {
			return err
		}
		if st.Mode&unix.S_IFMT == unix.S_IFDIR && st.Dev == w.levels[0].dev {
			if w.deep != nil && len(w.levels) >= maxDepth {
				if err := w.deep(w.cur, name); err != nil {
					return err
				}
				continue
			}
			went, err := w.down(name, &st)
			if went || err != nil {
				return err
			}
		}
	}
	return nil
}

// down descends into name; false if it is gone or something else by now.
func (w *walker) down(name string, want *unix.Stat_t) (bool, error) {
	fd, err := openDir(w.cur, name)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Dev != want.Dev || st.Ino != want.Ino {
		unix.Close(fd)
		return false, nil
	}
	unix.Close(w.cur)
	w.cur = fd
	if w.leave == nil {
		name = "" // nobody asks for it on the way back
	}
	w.levels = append(w.levels, level{dev: st.Dev, ino: st.Ino, name: name})
	return true, nil
}

// up goes back to the parent, at the entry after the one that it came from.
func (w *walker) up() error {
	fd, err := openDir(w.cur, "..")
	if err != nil {
		return err
	}
	unix.Close(w.cur)
	w.cur = fd
	left := w.levels[len(w.levels)-1]
	w.levels = w.levels[:len(w.levels)-1]
	parent := w.levels[len(w.levels)-1]
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if st.Dev != parent.dev || st.Ino != parent.ino {
		return errMoved
	}
	if _, err := unix.Seek(fd, parent.offset, 0); err != nil {
		return os.NewSyscallError("lseek", err)
	}
	if w.leave != nil {
		return w.leave(fd, left.name)
	}
	return nil
}

// parseDirent takes the first struct linux_dirent64 off chunk.
func parseDirent(chunk []byte) (name string, offset int64, rest []byte) {
	const header = 19 // ino 8, offset 8, record length 2, type 1
	offset = int64(binary.NativeEndian.Uint64(chunk[8:]))
	length := int(binary.NativeEndian.Uint16(chunk[16:]))
	raw := chunk[header:length]
	for i, c := range raw {
		if c == 0 {
			raw = raw[:i]
			break
		}
	}
	return string(raw), offset, chunk[length:]
}

// openDir opens a directory in dir, which may be AT_FDCWD, without following
// a symlink at its end.
func openDir(dir int, name string) (int, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	for {
		fd, err := unix.Openat(dir, name, flags, 0)
		if err == nil {
			return fd, nil
		}
		if !errors.Is(err, unix.EINTR) {
			return -1, fmt.Errorf("open directory: %w", err)
		}
	}
}
