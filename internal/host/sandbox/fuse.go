//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/sandstorm-go/sandstorm"
	"golang.org/x/sys/unix"
)

// FUSE is a file system that a program elsewhere serves, as the package of an
// app under development. That program may be as hostile as it likes: nothing in
// this type waits for it.
//
// The mount lies in a mount namespace of its own, in which nothing else is: no
// path of the machine leads to it, and it vanishes with this process.
type FUSE struct {
	mu     sync.Mutex
	thread *thread // lives in that namespace; nil once aborted
	minor  uint32  // of the file system's device number
}

const fuseDevice = "/dev/fuse"

// fusePlace is where a FUSE lies in its namespace.
const fusePlace = "/package"

// mayUseFUSE reports whether this user may open the device.
func mayUseFUSE() bool {
	fd, err := unix.Open(fuseDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err == nil
}

// errNoFUSE says that only copies of apps can be developed here.
func errNoFUSE(err error) error {
	return sandstorm.Errorf(sandstorm.Unavailable, "dev.no-fuse", "FUSE cannot be used here: %w", err)
}

// MountFUSE mounts a file system and returns the device that requests for it
// come from, which is to be closed once it was handed on. It fails with the key
// dev.no-fuse where that is not possible, or could not be undone at once.
func MountFUSE() (*FUSE, *os.File, error) {
	if err := tryFUSE(); err != nil {
		return nil, nil, errNoFUSE(err)
	}
	f, device, err := mountFUSE()
	if err != nil {
		return nil, nil, errNoFUSE(err)
	}
	return f, device, nil
}

// tryFUSE makes sure that a file system whose program does not answer can be
// taken away by force: whoever waits for it could not even be killed.
func tryFUSE() error {
	f, device, err := mountFUSE()
	if err != nil {
		return err
	}
	defer device.Close()
	return f.Abort()
}

func mountFUSE() (*FUSE, *os.File, error) {
	fd, err := unix.Open(fuseDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, &os.PathError{Op: "open", Path: fuseDevice, Err: err}
	}
	f := &FUSE{}
	f.thread, err = newThread(func() error { return f.mount(fd) })
	if err != nil {
		unix.Close(fd)
		return nil, nil, err
	}
	return f, os.NewFile(uintptr(fd), fuseDevice), nil
}

// mount makes the calling thread's namespace and mounts the device in it. All
// users may read: grains have user ids of their own, and the kernel checks modes.
func (f *FUSE) mount(fd int) error {
	if err := ownMounts(); err != nil {
		return err
	}
	if err := emptyRoot(); err != nil {
		return err
	}
	if err := os.Mkdir(fusePlace, 0o755); err != nil {
		return err
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d,allow_other,default_permissions",
		fd, os.Geteuid(), os.Getegid())
	const flags = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV
	if err := unix.Mount("sandstorm-dev", fusePlace, "fuse", flags, options); err != nil {
		return os.NewSyscallError("mount", err)
	}
	// The kernel knows the device number without asking the program.
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, fusePlace, unix.AT_STATX_DONT_SYNC|unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT, 0, &st)
	f.minor = st.Dev_minor
	return os.NewSyscallError("statx", err)
}

// Open clones the mount for one grain; see Config.OpenRoot.
func (f *FUSE) Open() (tree *os.File, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.thread == nil {
		return nil, unix.ENOTCONN
	}
	f.thread.do(func() { tree, err = openTree(fusePlace, packageAttrs) })
	return tree, err
}

// Abort ends the file system: whoever waits for an answer gets an error, at
// once, and so does every later access. Clones stay where they are, dead. To
// abort it twice does nothing.
func (f *FUSE) Abort() (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.thread == nil {
		return nil
	}
	f.thread.do(func() { err = unix.Unmount(fusePlace, unix.MNT_FORCE|unix.MNT_DETACH) })
	if errors.Is(err, unix.EPERM) {
		// Older kernels let only the machine's root use force; but whoever
		// mounted it can tell the kernel in another way.
		err = os.WriteFile(fmt.Sprintf("/sys/fs/fuse/connections/%d/abort", f.minor), []byte("1"), 0)
	}
	f.thread.stop()
	f.thread = nil
	if err != nil {
		return fmt.Errorf("abort the file system: %w", err)
	}
	return nil
}
