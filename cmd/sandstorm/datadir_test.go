package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/control"
)

// A server that was broken into owns its directories, or even the data
// directory, and waits for root to give away at the next start what it put
// there.
func TestRootGivesNothingAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("needs root: nobody else gives anything away")
		return
	}
	id := identity{uid: 65534, gid: 65534}
	owner := func(path string) int {
		st, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		return int(st.Sys().(*syscall.Stat_t).Uid)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, plant := range map[string]func(data, victim string) error{
		"directory is a link": func(data, victim string) error {
			return os.Symlink(filepath.Dir(victim), filepath.Join(data, "server"))
		},
		"link in the directory": func(data, victim string) error {
			return errors.Join(os.Mkdir(filepath.Join(data, "server"), 0o700), os.Symlink(victim, filepath.Join(data, "server", "lock")))
		},
		"second name of a file": func(data, victim string) error {
			return errors.Join(os.Mkdir(filepath.Join(data, "server"), 0o700), os.Link(victim, filepath.Join(data, "server", "lock")))
		},
	} {
		data, victim := t.TempDir(), filepath.Join(t.TempDir(), "shadow")
		must(os.WriteFile(victim, nil, 0o600))
		must(plant(data, victim))
		err := prepareDataDir(data, id)
		if uid := owner(victim); uid != 0 {
			t.Errorf("%s: user %d got root's file", name, uid)
		}
		if uid := owner(filepath.Dir(victim)); uid != 0 {
			t.Errorf("%s: user %d got root's directory", name, uid)
		}
		if wantErr := name != "link in the directory"; (err != nil) != wantErr {
			t.Errorf("%s: %v", name, err)
		}
	}

	// What is the server's own it gets, also from a run as somebody else.
	data := t.TempDir()
	must(prepareDataDir(data, id))
	db := filepath.Join(data, "server", "sandstorm.db")
	must(os.WriteFile(db, nil, 0o600))
	must(prepareDataDir(data, id))
	for _, path := range []string{db, filepath.Join(data, "server"), filepath.Join(data, "socket")} {
		if uid := owner(path); uid != id.uid {
			t.Errorf("%s belongs to %d", path, uid)
		}
	}
}

// As root the host trusts the paths in the data directory.
func TestDataDirOfSomebodyElse(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("needs root: others have a data directory of their own")
		return
	}
	for _, c := range []struct {
		uid  int
		mode os.FileMode
		ok   bool
	}{{0, 0o755, true}, {0, 0o700, true}, {65534, 0o755, false}, {0, 0o775, false}, {0, 0o777 | os.ModeSticky, false}} {
		dir := t.TempDir()
		if err := errors.Join(os.Chown(dir, c.uid, 0), os.Chmod(dir, c.mode)); err != nil {
			t.Fatal(err)
		}
		if err := checkDataDir(dir); (err == nil) != c.ok {
			t.Errorf("owner %d, mode %v: %v", c.uid, c.mode, err)
		}
	}
}

// The server's group may reach the socket for development, and nothing else.
func TestSocketsAndTheGroup(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	data, err := os.MkdirTemp("", "s") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(data)
	if err := os.Mkdir(filepath.Join(data, "socket"), 0o777); err != nil { // as somebody made it
		t.Fatal(err)
	}
	if err := prepareDataDir(data, identity{uid: os.Geteuid(), gid: os.Getegid()}); err != nil {
		t.Fatal(err)
	}
	admin, err := listenUnix(adminSocket(data), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	dev, err := listenUnix(control.DevSocket(data), 0o660)
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	for path, mode := range map[string]os.FileMode{
		filepath.Join(data, "server"): 0o700, filepath.Join(data, "socket"): 0o710,
		adminSocket(data): 0o600, control.DevSocket(data): 0o660,
	} {
		st, err := os.Stat(path)
		if err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want %v", path, st.Mode(), err, mode)
		}
	}
}
