package server

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// dir is an open directory. Its methods take single names and never follow a
// symlink.
type dir struct{ fd int }

func (d *dir) close() { unix.Close(d.fd) }

// sub opens a directory in d.
func (d *dir) sub(name string) (*dir, error) {
	fd, err := openDir(d.fd, name)
	if err != nil {
		return nil, err
	}
	return &dir{fd: fd}, nil
}

// open opens a file in d. The descriptor is blocking unless flags say
// otherwise; os.OpenFile would not leave that to us.
func (d *dir) open(name string, flags int, mode uint32) (*os.File, error) {
	for {
		fd, err := unix.Openat(d.fd, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
		if err == nil {
			return os.NewFile(uintptr(fd), name), nil
		}
		if !errors.Is(err, unix.EINTR) {
			return nil, &os.PathError{Op: "open", Path: name, Err: err}
		}
	}
}

// stat is like lstat.
func (d *dir) stat(name string) (unix.Stat_t, error) {
	var st unix.Stat_t
	err := unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return st, &os.PathError{Op: "stat", Path: name, Err: err}
	}
	return st, nil
}

// mkdir makes a directory with exactly that mode.
func (d *dir) mkdir(name string, mode uint32) error {
	if err := unix.Mkdirat(d.fd, name, mode); err != nil {
		return &os.PathError{Op: "mkdir", Path: name, Err: err}
	}
	if err := unix.Fchmodat(d.fd, name, mode, 0); err != nil {
		return &os.PathError{Op: "chmod", Path: name, Err: err}
	}
	return nil
}

// move renames name in d to newName in to, which must not exist there unless
// replace is set.
func (d *dir) move(name string, to *dir, newName string, replace bool) error {
	var flags uint
	if !replace {
		flags = unix.RENAME_NOREPLACE
	}
	if err := unix.Renameat2(d.fd, name, to.fd, newName, flags); err != nil {
		return &os.PathError{Op: "rename", Path: name, Err: err}
	}
	return nil
}

// remove unlinks a file; one that is not there is fine.
func (d *dir) remove(name string) error {
	if err := unix.Unlinkat(d.fd, name, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return &os.PathError{Op: "unlink", Path: name, Err: err}
	}
	return nil
}

// readFile reads a small file of ours.
func (d *dir) readFile(name string, limit int64) ([]byte, error) {
	f, err := d.open(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// replaceFile writes a small file so that readers see the old or the new one.
func (d *dir) replaceFile(name string, data []byte) error {
	tmp := name + ".new"
	f, err := d.open(tmp, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return d.move(tmp, d, name, true)
}

// names lists the directory.
func (d *dir) names() ([]string, error) {
	fd, err := openDir(d.fd, ".")
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "directory")
	defer f.Close()
	return f.Readdirnames(-1)
}
