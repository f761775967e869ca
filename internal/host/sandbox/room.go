//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Files in the room, the mount namespace in which grains begin. It holds nothing
// else, so a grain needs no pivot_root, which costs nearly a millisecond: below
// the package that becomes its root there is nothing of the host.
const (
	roomInit    = "/grain-init"
	roomDev     = "/dev"
	roomCPUInfo = "/cpuinfo"
)

// room is that namespace. A grain enters it and makes a copy of it for itself.
type room struct {
	ns   *os.File
	init *os.File // grain-init, as a place only
	null *os.File // its /dev/null, as a place only
}

// devices of every grain: where they appear, and what they are. /dev/random is
// urandom, as apps were promised when it could block.
var devices = []struct{ name, source string }{
	{"null", "/dev/null"},
	{"zero", "/dev/zero"},
	{"urandom", "/dev/urandom"},
	{"random", "/dev/urandom"},
}

// newRoom makes the room, on a thread that ends afterwards.
func newRoom(init []byte) (*room, error) {
	r := &room{}
	t, err := newThread(func() error { return r.build(init) })
	if err != nil {
		r.close()
		return nil, err
	}
	t.stop()
	return r, nil
}

func (r *room) close() { closeAll(r.ns, r.init, r.null) }

// build moves the calling thread into a new mount namespace with a read-only
// file system that holds grain-init, the /dev of all grains and /proc/cpuinfo.
// A grain moves the latter two from its copy to their places.
func (r *room) build(init []byte) error {
	if err := ownMounts(); err != nil {
		return err
	}
	var err error
	if r.ns, err = os.Open("/proc/thread-self/ns/mnt"); err != nil {
		return startError("open the mount namespace", err)
	}
	trees, err := roomTrees()
	defer closeAll(trees...)
	if err != nil {
		return err
	}
	if err := emptyRoot(); err != nil {
		return err
	}
	if err := furnish(init, trees); err != nil {
		return err
	}
	if r.init, err = openPath(roomInit, 0); err != nil {
		return startError("open grain-init", err)
	}
	if r.null, err = openPath(roomDev+"/null", 0); err != nil {
		return startError("open /dev/null", err)
	}
	return nil
}

// ownMounts moves the calling thread into a new mount namespace, which starts as
// a copy of the machine's and tells it nothing.
func ownMounts() error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return startError(stepMountNS, err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return startError("make mounts private", err)
	}
	return nil
}

// emptyRoot replaces everything in the calling thread's mount namespace by one
// small file system in memory.
func emptyRoot() error {
	// Any directory will do as the mount point: the whole old tree goes away.
	if err := unix.Mount("tmpfs", "/proc", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=64k,nr_inodes=16,mode=755"); err != nil {
		return startError("mount the room", err)
	}
	if err := unix.Chdir("/proc"); err != nil {
		return startError("enter the room", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return startError("pivot to the room", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return startError("detach the host's files", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return startError("enter the room", err)
	}
	return nil
}

// openNull opens the standard input of one grain. Each has an open file of its
// own, because flags of an open file are seen by all who share it, and on the
// room's read-only mount, so that it cannot be marked with times either.
func (r *room) openNull() (*os.File, error) {
	return os.Open(fmt.Sprintf("/proc/self/fd/%d", rawFD(r.null)))
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
