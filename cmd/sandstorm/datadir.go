package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
)

// prepareDataDir makes what the server writes itself in its data directory:
// server/ for its database and keys, socket/ for its sockets. The rest belongs
// to the host. It is called before the server gives up its rights.
func prepareDataDir(path string, id identity) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	// The server's group may pass to the socket for development, whose own mode
	// decides; the other sockets there are not open to it.
	for name, mode := range map[string]uint32{"server": 0o700, "socket": 0o710} {
		if err := prepareOwn(dir, name, mode, id); err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(path, name), err)
		}
	}
	return nil
}

// checkDataDir refuses, for root, a data directory that somebody else can change.
// Whoever owns it can put other directories in the place of the host's, and the
// host follows their paths with root's rights: a server that was broken into
// must not be able to.
func checkDataDir(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Uid != 0 || st.Mode&0o022 != 0 {
		return sandstorm.Errorf(sandstorm.Denied, "host.owner",
			"the data directory %s can be changed by others than root (owner %d, mode %#o): run `chown root:root` and `chmod 755` on it, but not on what is in it",
			path, st.Uid, st.Mode&0o7777).With("path", path)
	}
	return nil
}

// prepareOwn makes a directory of the server's own, or opens it without
// following a link, and gives it to the server's user.
func prepareOwn(parent *os.File, name string, mode uint32, id identity) error {
	err := unix.Mkdirat(int(parent.Fd()), name, 0o700)
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	fd, err := unix.Openat(int(parent.Fd()), name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	dir := os.NewFile(uintptr(fd), name)
	defer dir.Close()
	if os.Geteuid() == 0 && !id.confined {
		if err := giveTree(dir, id); err != nil {
			return err
		}
	}
	return unix.Fchmod(fd, mode)
}

// giveTree gives a directory and what is in it to the server's user: it may
// stem from a run as another one. A server that was broken into could have put
// anything here for root to give away at the next start, so nothing is named
// twice: what was looked at is what is given. A link gives itself, and a file
// that has a name elsewhere too nothing.
func giveTree(dir *os.File, id identity) error {
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		fd, err := unix.Openat(int(dir.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.ENOENT) {
			continue // such as a socket that was just removed
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		err = give(fd, id)
		unix.Close(fd)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return dir.Chown(id.uid, id.gid)
}

// give changes the owner of what an O_PATH descriptor stands for.
func give(fd int, id identity) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if int(st.Uid) == id.uid && int(st.Gid) == id.gid {
		return nil
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR && st.Nlink > 1 {
		return errors.New("has another name elsewhere: remove one of them")
	}
	return unix.Fchownat(fd, "", id.uid, id.gid, unix.AT_EMPTY_PATH)
}

// lockDataDir makes sure that one server at a time works with a data directory.
// The lock ends with the process, however it ends.
func lockDataDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "server", "lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	// A server that was just killed may need a moment to be gone.
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(deadline) {
			f.Close()
			return nil, fmt.Errorf("another server works with %s: stop it first, or use another data directory (%w)", dir, err)
		}
	}
}
