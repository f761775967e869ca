package server

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox"
)

// joined is set in the environment of a process that joined a namespace, so
// that it does not try for ever.
const joined = "SANDSTORM_JOINED_USERNS"

// Enter makes this process one that may run the grains of a data directory. It
// must be called before anything else was set up. For root it does nothing. An
// ordinary user's process is replaced by the same program as root of a user
// namespace, where Enter then returns nil. If grains run that an earlier host
// process started, it is their namespace: a new one, though the same user's,
// would have no power over them.
func Enter(dataDir string) error {
	if !sandbox.NeedsUserNamespace() {
		return nil
	}
	if os.Getenv(joined) == "" {
		ns, err := runningNamespace(dataDir)
		if err != nil {
			return err
		}
		if ns != nil {
			return join(ns) // returns only if it fails
		}
	}
	return sandbox.ReexecInUserNamespace() // returns only if it fails
}

// runningNamespace finds the user namespace of the host process that started
// the grains that run, nil if none does.
func runningNamespace(dataDir string) (*os.File, error) {
	grains := filepath.Join(dataDir, "grains")
	top, err := openDir(unix.AT_FDCWD, grains)
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := &dir{fd: top}
	defer d.close()
	names, err := d.names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		id, err := sandstorm.ParseGrainID(name)
		if err != nil {
			continue
		}
		if ns := grainNamespace(d, id); ns != nil {
			return ns, nil
		}
	}
	return nil, nil
}

// grainNamespace is the namespace of one grain's host process, nil if it does
// not run.
func grainNamespace(grains *dir, id sandstorm.GrainID) *os.File {
	d, err := grains.sub(string(id))
	if err != nil {
		return nil
	}
	defer d.close()
	if _, err := d.stat(fileRun); err != nil {
		return nil
	}
	lock, err := d.open(fileLock, unix.O_RDWR, 0)
	if err != nil {
		return nil
	}
	defer lock.Close()
	if free, err := tryLock(int(lock.Fd())); free || err != nil {
		return nil
	}
	if rec, err := readRecord(d); err == nil && rec.PID > 0 && holdsLock(rec.PID, id, lock) {
		if ns, err := outerNamespace(rec.PID); err == nil {
			return ns
		}
	}
	// Its host died in the middle of a start: look who holds the lock.
	pids, err := lockHolders(id, lock)
	if err != nil {
		return nil
	}
	for _, pid := range pids {
		if ns, err := outerNamespace(pid); err == nil {
			return ns
		}
	}
	return nil
}

// outerNamespace is the user namespace that owns the network namespace of a
// grain's process: that of its host. It must be this user's.
func outerNamespace(pid int) (*os.File, error) {
	net, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "ns", "net"))
	if err != nil {
		return nil, err
	}
	defer net.Close()
	fd, err := unix.IoctlRetInt(int(net.Fd()), unix.NS_GET_USERNS)
	if err != nil {
		return nil, os.NewSyscallError("ioctl(NS_GET_USERNS)", err)
	}
	ns := os.NewFile(uintptr(fd), "user namespace")
	uid, err := unix.IoctlGetUint32(fd, unix.NS_GET_OWNER_UID)
	if err == nil && int(uid) != os.Geteuid() {
		err = unix.EPERM
	}
	if err != nil {
		ns.Close()
		return nil, os.NewSyscallError("ioctl(NS_GET_OWNER_UID)", err)
	}
	return ns, nil
}
