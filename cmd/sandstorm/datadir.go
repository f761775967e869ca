package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// prepareDataDir makes what the server writes itself in its data directory:
// server/ for its database and keys, socket/ for its sockets. The rest belongs
// to the host. It is called before the server gives up its rights.
func prepareDataDir(dir string, id identity) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"server", "socket"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return err
		}
		if os.Geteuid() != 0 || id.confined {
			continue
		}
		if err := chownTree(path, id); err != nil {
			return err
		}
	}
	return nil
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

// chownTree gives a directory and the files in it to the server's user: they
// may stem from a run as another one. Links are not followed.
func chownTree(dir string, id identity) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Lchown(filepath.Join(dir, e.Name()), id.uid, id.gid); err != nil {
			return err
		}
	}
	return os.Lchown(dir, id.uid, id.gid)
}
