package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"golang.org/x/sys/unix"
)

// tree is a directory that is being filled from archives. Each name is resolved
// within the directory (see follow), and the entry itself is then made by its
// last part in an open parent directory: nothing is ever written through a
// symlink.
type tree struct {
	root    *os.Root
	times   map[string]time.Time // of directories; set at the end, as filling them changes them
	parents map[string]string    // resolved directories, until something is removed
	at      openDir              // the parent of the last entry
	links   map[string]struct{}  // what was left away, so that links to it are left away, too
	budget  *budget
	notes   *notes
}

// openDir is a directory that is held open while entry after entry goes there.
type openDir struct {
	name string
	root *os.Root
	file *os.File
}

func (d *openDir) close() {
	if d.root != nil {
		d.root.Close()
		d.file.Close()
	}
	*d = openDir{}
}

func newTree(dir string, b *budget, n *notes) (*tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &tree{root: root, times: map[string]time.Time{}, parents: map[string]string{}, links: map[string]struct{}{}, budget: b, notes: n}, nil
}

// finish sets the times of the directories.
func (t *tree) finish() error {
	defer t.root.Close()
	t.at.close()
	return setDirTimes(t.root, t.times)
}

// parent resolves the directory of an entry, making it if it is missing, and
// opens it.
func (t *tree) parent(name string) (*openDir, error) {
	dir := path.Dir(name)
	real, ok := t.parents[dir]
	if !ok {
		var err error
		if real, _, err = follow(t.root, dir, true); err != nil {
			return nil, describe(err, dir)
		}
		if len(t.parents) > 10_000 {
			clear(t.parents)
		}
		t.parents[dir] = real
	}
	if t.at.root != nil && t.at.name == real {
		return &t.at, nil
	}
	t.at.close()
	root, err := t.root.OpenRoot(real)
	if err != nil {
		return nil, describe(err, dir)
	}
	file, err := root.Open(".")
	if err != nil {
		root.Close()
		return nil, err
	}
	t.at = openDir{name: real, root: root, file: file}
	return &t.at, nil
}

// describe puts the name that the archive used into an error.
func describe(err error, name string) error {
	if pe := new(fs.PathError); errors.As(err, &pe) {
		err = pe.Err
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return fmt.Errorf("%q is not a directory, but something lies below it", name)
	}
	return fmt.Errorf("%q: %w", name, err)
}

// remove deletes an entry by its resolved name, with everything below it.
func (t *tree) remove(name string) error {
	t.at.close()
	clear(t.parents)
	return t.root.RemoveAll(name)
}

// clear makes room for an entry: what is there goes.
func (t *tree) clear(name string) (string, *openDir, error) {
	d, err := t.parent(name)
	if err != nil {
		return "", nil, err
	}
	real := path.Join(d.name, path.Base(name))
	if _, err := d.root.Lstat(path.Base(name)); err == nil {
		if err := t.remove(real); err != nil {
			return "", nil, err
		}
		d, err = t.parent(name)
		return real, d, err
	}
	return real, d, nil
}

// putDir makes a directory, or keeps the one that is there. With keepLink a
// symlink to a directory is kept, too.
func (t *tree) putDir(name string, mtime time.Time, keepLink bool) (string, error) {
	if name == "." {
		t.times["."] = mtime
		return ".", nil
	}
	d, err := t.parent(name)
	if err != nil {
		return "", err
	}
	base, real := path.Base(name), path.Join(d.name, path.Base(name))
	info, err := d.root.Lstat(base)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 && keepLink {
		if to, _, err := follow(t.root, real, false); err == nil {
			if info, err := t.root.Lstat(to); err == nil && info.IsDir() {
				return to, nil
			}
		}
	}
	if err == nil && !info.IsDir() {
		if _, d, err = t.clear(name); err != nil {
			return "", err
		}
	}
	if err != nil || !info.IsDir() {
		if err := makeDir(d.root, base); err != nil {
			return "", describe(err, name)
		}
	}
	t.times[real] = mtime
	return real, nil
}

// putFile makes a regular file with size bytes of content.
func (t *tree) putFile(name string, executable bool, mtime time.Time, size int64, content io.Reader) (string, error) {
	if err := t.budget.take(size); err != nil {
		return "", err
	}
	real, d, err := t.clear(name)
	if err != nil {
		return "", err
	}
	f, err := d.root.OpenFile(path.Base(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", describe(err, name)
	}
	defer f.Close()
	n, err := io.Copy(f, io.LimitReader(content, size))
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", fmt.Errorf("%q: %w", name, err)
	}
	mode := fs.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	if err := errors.Join(f.Chmod(mode), f.Close()); err != nil {
		return "", err
	}
	return real, setTime(d.file, path.Base(name), mtime)
}

// putSymlink makes a symlink. Where it leads is of no interest here.
func (t *tree) putSymlink(name, target string, mtime time.Time) (string, error) {
	if target == "" || len(target) >= maxPath {
		return "", fmt.Errorf("%q is a symlink whose target has %d bytes", name, len(target))
	}
	real, d, err := t.clear(name)
	if err != nil {
		return "", err
	}
	if err := d.root.Symlink(target, path.Base(name)); err != nil {
		return "", describe(err, name)
	}
	return real, setTime(d.file, path.Base(name), mtime)
}

// putLink makes name another name of the file that old names.
func (t *tree) putLink(name, old string) (string, error) {
	d, err := t.parent(old)
	if err != nil {
		return "", err
	}
	from := path.Join(d.name, path.Base(old))
	info, err := t.root.Lstat(from)
	if err != nil {
		return "", fmt.Errorf("%q is a hard link to %q, which is not there", name, old)
	}
	if info.IsDir() {
		return "", fmt.Errorf("%q is a hard link to the directory %q", name, old)
	}
	d, err = t.parent(name)
	if err != nil {
		return "", err
	}
	real := path.Join(d.name, path.Base(name))
	if real == from {
		return real, nil // a file that is linked to itself
	}
	if real, _, err = t.clear(name); err != nil {
		return "", err
	}
	if err := t.root.Link(from, real); err != nil {
		return "", describe(err, name)
	}
	return real, nil
}

// setTime sets the time of an entry without following it.
func setTime(dir *os.File, base string, mtime time.Time) error {
	ts := unix.NsecToTimespec(mtime.UnixNano())
	return unix.UtimesNanoAt(int(dir.Fd()), base, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
}
