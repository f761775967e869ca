package main

import (
	"os"
	"path/filepath"
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
