//go:build linux

package sandbox

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openTree clones the mount of path, without anything mounted below it, with
// the given attributes. The clone is private: what a grain mounts on it must
// not appear at path on machines whose mounts are shared.
func openTree(path string, attrs uint64) (*os.File, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	attr := unix.MountAttr{Attr_set: attrs, Propagation: unix.MS_PRIVATE}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// trees are the files of a box, opened before the fork. Places are mount
// points inside the package; nil where the package has no such path, and then
// nothing is mounted there.
type trees struct {
	root, data             *os.File
	tmp, dev, varDir, proc *os.File
}

// packageAttrs are how a grain sees its package.
const packageAttrs = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV

func (c *Config) openRoot() (*os.File, error) {
	if c.OpenRoot != nil {
		return c.OpenRoot()
	}
	return openTree(c.Root, packageAttrs)
}

// mountPoint is a place inside the package.
type mountPoint struct {
	file  **os.File
	name  string
	flags uint64 // for opening it, besides the usual
}

// procPlace is where something of /proc is mounted: one file of it, or all.
func (c *Config) procPlace(t *trees) mountPoint {
	if c.Proc {
		return mountPoint{&t.proc, "proc", unix.O_DIRECTORY}
	}
	return mountPoint{&t.proc, "proc/cpuinfo", 0}
}

// openTrees opens everything that the box of c is made of.
func openTrees(c *Config) (t *trees, err error) {
	t = &trees{}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	t.root, err = c.openRoot()
	if err != nil {
		return t, startError("open the package", err)
	}
	for _, p := range []mountPoint{
		{&t.tmp, "tmp", unix.O_DIRECTORY},
		{&t.dev, "dev", unix.O_DIRECTORY},
		{&t.varDir, "var", unix.O_DIRECTORY},
		c.procPlace(t),
	} {
		if *p.file, err = openPlace(t.root, p.name, p.flags); err != nil {
			return t, startError("mount /"+p.name, err)
		}
	}
	if t.varDir == nil {
		return t, nil
	}
	t.data, err = openTree(c.Var, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
	if err == nil && !isDir(t.data) {
		err = unix.ENOTDIR
	}
	if err != nil {
		return t, startError("open the grain's storage", err)
	}
	return t, nil
}

// openPlace opens a mount point below root, or returns nil if there is no such
// path. A package must not choose where the grain's files are mounted, so a
// symbolic link on the way is an error.
func openPlace(root *os.File, name string, flags uint64) (*os.File, error) {
	fd, err := unix.Openat2(int(root.Fd()), name, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW | flags,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV,
	})
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && flags&unix.O_DIRECTORY == 0 && st.Mode&unix.S_IFMT != unix.S_IFREG {
		// O_PATH|O_NOFOLLOW opens even a symbolic link in the last place.
		err = unix.ENOTSUP
		if st.Mode&unix.S_IFMT == unix.S_IFLNK {
			err = unix.ELOOP
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func isDir(f *os.File) bool {
	var st unix.Stat_t
	return unix.Fstat(int(rawFD(f)), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

func (t *trees) close() {
	closeAll(t.root, t.data, t.tmp, t.dev, t.varDir, t.proc)
}
