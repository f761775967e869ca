//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Files in the spawner's mount namespace. It holds nothing else, so a grain
// needs no pivot_root, which costs nearly a millisecond: below the package that
// becomes its root there is nothing of the host.
const (
	roomInit    = "/grain-init"
	roomDev     = "/dev"
	roomCPUInfo = "/cpuinfo"
)

// devices of every grain: where they appear, and what they are. /dev/random is
// urandom, as apps were promised when it could block.
var devices = []struct{ name, source string }{
	{"null", "/dev/null"},
	{"zero", "/dev/zero"},
	{"urandom", "/dev/urandom"},
	{"random", "/dev/urandom"},
}

// newSpawner starts the thread that forks grains.
func newSpawner(init []byte) (*thread, error) {
	return newThread(func() error { return enterRoom(init) })
}

// enterRoom moves the calling thread into a mount namespace of its own, with a
// read-only file system that holds grain-init, the /dev of all grains and
// /proc/cpuinfo. A child's namespace is a copy of it, from which the child
// moves /dev and cpuinfo to their places.
func enterRoom(init []byte) error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return startError("create a mount namespace", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return startError("make mounts private", err)
	}
	trees, err := roomTrees()
	defer closeAll(trees...)
	if err != nil {
		return err
	}
	// Any directory will do as the mount point: the whole old tree goes away.
	if err := unix.Mount("tmpfs", "/proc", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=64k,nr_inodes=16,mode=755"); err != nil {
		return startError("mount the spawner's root", err)
	}
	if err := unix.Chdir("/proc"); err != nil {
		return startError("enter the spawner's root", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return startError("pivot to the spawner's root", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return startError("detach the host's files", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return startError("enter the spawner's root", err)
	}
	return furnish(init, trees)
}

// roomTrees opens clones of the devices and, last, of /proc/cpuinfo.
func roomTrees() ([]*os.File, error) {
	var out []*os.File
	for _, d := range devices {
		// Read-only does not keep from writing to a device, but keeps one grain
		// from leaving marks (times) on the node that another one sees.
		f, err := openTree(d.source, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC)
		if err != nil {
			return out, startError("open "+d.source, err)
		}
		out = append(out, f)
	}
	f, err := openTree("/proc/cpuinfo", unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return out, startError("open /proc/cpuinfo", err)
	}
	return append(out, f), nil
}

// furnish fills the empty root of the calling thread.
func furnish(init []byte, trees []*os.File) error {
	if err := writeExecutable(roomInit, init); err != nil {
		return startError("write grain-init", err)
	}
	if err := os.Mkdir(roomDev, 0o755); err != nil {
		return startError("make /dev", err)
	}
	const devFlags = unix.MS_NOATIME | unix.MS_NOSUID | unix.MS_NOEXEC | unix.MS_NODEV
	if err := unix.Mount("tmpfs", roomDev, "tmpfs", devFlags, "size=1m,nr_inodes=16,mode=755"); err != nil {
		return startError("mount /dev", err)
	}
	for i, d := range devices {
		if err := place(trees[i], roomDev+"/"+d.name); err != nil {
			return startError("mount /dev/"+d.name, err)
		}
	}
	if err := place(trees[len(devices)], roomCPUInfo); err != nil {
		return startError("mount /proc/cpuinfo", err)
	}
	if err := os.Mkdir(roomDev+"/shm", 0o755); err != nil {
		return startError("make /dev/shm", err)
	}
	for _, dir := range []string{roomDev, "/"} {
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
		if err := unix.MountSetattr(unix.AT_FDCWD, dir, 0, &attr); err != nil {
			return startError("make "+dir+" read-only", err)
		}
	}
	return nil
}

// place mounts a detached tree of one file on a new file.
func place(tree *os.File, path string) error {
	if err := os.WriteFile(path, nil, 0o444); err != nil {
		return err
	}
	return unix.MoveMount(int(tree.Fd()), "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// writeExecutable writes a file while no other goroutine forks: a child that
// still held it open for writing would make the next execve fail (ETXTBSY).
func writeExecutable(path string, content []byte) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, content, 0o555)
}

// namespaces are those that a grain is born into. Its network namespace is
// taken from the pool, its user namespace comes last.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// spawn starts grain-init with the given descriptors from 0 on. The arguments
// say which of them holds its program.
func (l *Launcher) spawn(args []string, files []uintptr, cgroup int) (pid, pidfd int, err error) {
	attr := &syscall.ProcAttr{Files: files, Sys: &syscall.SysProcAttr{
		Cloneflags: namespaces, PidFD: &pidfd, UseCgroupFD: cgroup > 0, CgroupFD: cgroup,
	}}
	l.spawner.do(func() {
		pid, err = syscall.ForkExec(roomInit, args, attr)
	})
	if err == nil && pidfd < 0 {
		err = unix.ENOSYS
	}
	if err != nil {
		return 0, -1, fmt.Errorf("fork: %w", err)
	}
	return pid, pidfd, nil
}
