package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// treeSize is the disk space below the open directory top in bytes: blocks
// that several names share count once in all (sandbox.md §5).
func treeSize(ctx context.Context, top int) (int64, error) {
	const attempts = 3 // a grain that moves directories about may upset the walk
	var err error
	for range attempts {
		var total int64
		err = walk(ctx, top, visitor{enter: func(_ int, _ string, st *unix.Stat_t) error {
			total += diskSpace(st)
			return nil
		}})
		if err == nil {
			return total, nil
		}
		if !errors.Is(err, errMoved) {
			return 0, err
		}
	}
	return 0, err
}

// diskSpace is one name's share of a file's blocks.
func diskSpace(st *unix.Stat_t) int64 {
	size := st.Blocks * 512
	if st.Mode&unix.S_IFMT != unix.S_IFDIR && st.Nlink > 1 {
		size /= int64(st.Nlink)
	}
	return size
}

// chownTree gives the directory name in dir and all that is in it to uid and
// gid. Symlinks change themselves, never what they point to.
func chownTree(ctx context.Context, dir int, name string, uid, gid int) error {
	top, err := openDir(dir, name)
	if err != nil {
		return err
	}
	defer unix.Close(top)
	err = walk(ctx, top, visitor{enter: func(dir int, name string, _ *unix.Stat_t) error {
		if err := unix.Fchownat(dir, name, uid, gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return os.NewSyscallError("fchownat", err)
		}
		return nil
	}})
	if err != nil {
		return err
	}
	// The top comes last: its owner says that the work is done.
	if err := unix.Fchown(top, uid, gid); err != nil {
		return os.NewSyscallError("fchown", err)
	}
	return nil
}

// removeTree deletes name in dir with all that is in it. Nothing may be
// running that still changes it.
func removeTree(ctx context.Context, dir int, name string) error {
	err := unix.Unlinkat(dir, name, 0)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	if !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EPERM) {
		return os.NewSyscallError("unlinkat", err)
	}
	top, err := openDir(dir, name)
	if err != nil {
		return err
	}
	defer unix.Close(top)
	// A file system may skip entries while others are deleted. And each pass
	// leaves at the top what lay too deep for it.
	const passes = 3
	for pass := 0; pass < passes; pass++ {
		lifted := 0
		if err := walk(ctx, top, remover(top, &lifted)); err != nil {
			return err
		}
		if lifted > 0 {
			pass = 0
		}
		err = unix.Unlinkat(dir, name, unix.AT_REMOVEDIR)
		if !errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, unix.EEXIST) {
			break
		}
	}
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove directory: %w", err)
	}
	return nil
}

// remover deletes what a walk below top visits. Directories that lie too deep it
// moves to the top, where the next pass finds them, and counts them.
func remover(top int, lifted *int) visitor {
	unlink := func(dir int, name string, flags int) error {
		err := unix.Unlinkat(dir, name, flags)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTEMPTY) {
			return nil // the next pass sees to what is left
		}
		return os.NewSyscallError("unlinkat", err)
	}
	return visitor{
		enter: func(dir int, name string, st *unix.Stat_t) error {
			if st.Mode&unix.S_IFMT == unix.S_IFDIR {
				return nil
			}
			return unlink(dir, name, 0)
		},
		leave: func(dir int, name string) error { return unlink(dir, name, unix.AT_REMOVEDIR) },
		deep: func(dir int, name string) error {
			*lifted++
			return lift(dir, name, top)
		},
	}
}

// lift moves the directory name in dir to top, under a name that is free there.
func lift(dir int, name string, top int) error {
	for {
		err := unix.Renameat2(dir, name, top, "lifted."+rand.Text(), unix.RENAME_NOREPLACE)
		if !errors.Is(err, unix.EEXIST) {
			return os.NewSyscallError("renameat2", err)
		}
	}
}
