package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"unsafe"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/config"
)

// identity is whom the server runs as once it has opened its ports.
type identity struct {
	uid, gid int
	// confined is set if only capabilities are given up and the user stays
	// root, because no other user could reach the data directory.
	confined bool
}

// chooseIdentity decides whom a server becomes. Without root's rights it stays
// who it is. name is SERVER_USER of the configuration; without it a server for
// development takes the data directory's owner, else nobody.
func chooseIdentity(name, dataDir string, dev bool) (identity, error) {
	if os.Geteuid() != 0 {
		return identity{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	if name != "" {
		return lookUpUser(name)
	}
	if id, err := lookUpUser("sandstorm"); err == nil {
		return id, nil
	}
	if !dev {
		return identity{}, errors.New("a server must not run as root: create a user `sandstorm`, or name one by SERVER_USER in the configuration file")
	}
	id, err := lookUpUser("nobody")
	if st, ok := statOwner(dataDir); ok && st.uid != 0 {
		id, err = st, nil
	}
	if err != nil || !reachable(dataDir, id) {
		return identity{confined: true}, nil
	}
	return id, nil
}

func lookUpUser(name string) (identity, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return identity{}, fmt.Errorf("SERVER_USER: %w", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return identity{}, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return identity{}, err
	}
	if uid == 0 {
		return identity{}, errors.New("SERVER_USER must not be root")
	}
	return identity{uid: uid, gid: gid}, nil
}

func statOwner(path string) (identity, bool) {
	st, err := os.Stat(path)
	if err != nil {
		return identity{}, false
	}
	sys := st.Sys().(*syscall.Stat_t)
	return identity{uid: int(sys.Uid), gid: int(sys.Gid)}, true
}

// reachable reports whether id may pass through every directory above path.
func reachable(path string, id identity) bool {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		st, err := os.Stat(dir)
		if err != nil {
			return false
		}
		sys := st.Sys().(*syscall.Stat_t)
		bit := fs.FileMode(0o001)
		switch {
		case int(sys.Uid) == id.uid:
			bit = 0o100
		case int(sys.Gid) == id.gid:
			bit = 0o010
		}
		if st.Mode()&bit == 0 {
			return false
		}
		if dir == "/" {
			return true
		}
	}
}

// become gives up root's rights for good: all threads, all groups, all
// capabilities, and no program that is executed later can bring them back.
func (id identity) become(cfg *config.Config) error {
	_, _, e := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if e == syscall.ENOTSUP { // what Go answers in programs with C threads
		return errors.New("this program was built with cgo and cannot give up its rights: build it with CGO_ENABLED=0")
	}
	if e != 0 {
		return fmt.Errorf("no_new_privs: %w", e)
	}
	if os.Geteuid() != 0 {
		return nil
	}
	if id.confined {
		if err := dropCapabilities(); err != nil {
			return err
		}
		return confine(cfg)
	}
	if err := syscall.Setgroups([]int{}); err != nil {
		return fmt.Errorf("give up root's groups: %w", err)
	}
	if err := syscall.Setresgid(id.gid, id.gid, id.gid); err != nil {
		return fmt.Errorf("become group %d: %w", id.gid, err)
	}
	if err := syscall.Setresuid(id.uid, id.uid, id.uid); err != nil {
		return fmt.Errorf("become user %d: %w", id.uid, err)
	}
	return nil
}

// confine keeps a server that stays root from the files that root owns: it may
// write its own part of the data directory and read what resolves names and
// checks certificates, where the kernel has Landlock.
func confine(cfg *config.Config) error {
	server, socket := filepath.Join(cfg.DataDir, "server"), filepath.Join(cfg.DataDir, "socket")
	rules := []landlock.Rule{
		landlock.RWDirs(server, socket),
		landlock.RODirs("/etc", "/usr/share", "/usr/lib/ssl", "/usr/local/share", "/proc", "/sys/fs/cgroup").IgnoreIfMissing(),
		landlock.RWFiles("/dev/null", "/dev/urandom").IgnoreIfMissing(),
	}
	if cfg.TLSCertFile != "" {
		rules = append(rules, landlock.RODirs(filepath.Dir(cfg.TLSCertFile), filepath.Dir(cfg.TLSKeyFile)))
	}
	if err := landlock.V5.BestEffort().RestrictPaths(rules...); err != nil {
		return fmt.Errorf("confine the server to its files: %w", err)
	}
	return nil
}

// dropCapabilities leaves root nothing but the ownership of its files.
func dropCapabilities() error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	_, _, e := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(&none[0])), 0)
	if e != 0 {
		return fmt.Errorf("give up capabilities: %w", e)
	}
	return nil
}
