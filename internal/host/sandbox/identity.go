//go:build linux

package sandbox

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// capabilityVersion3 is _LINUX_CAPABILITY_VERSION_3.
const capabilityVersion3 = 0x20080522

// oomScore has the kernel kill processes of grains first when memory runs out.
// By size alone it would take the server itself before the many small processes
// that an app can make.
const oomScore = "900"

// identity gives up the host's ids and enters a user namespace in which the
// ids that remain are called 1000, or as the Config says. next is the number of
// the next free descriptor.
func (b *builder) identity(proc, next uint64) {
	uid, gid := uint64(b.c.HostUID), uint64(b.c.HostGID)
	// All processes of the grain inherit it, and may not lower it again.
	b.procFile(proc, next, "self/oom_score_adj", oomScore)
	if b.l.tier == TierRoot {
		b.Call("drop groups", unix.SYS_SETGROUPS, 0, 0)
		// Keeping CAP_SYS_ADMIN over the change of ids makes the next step work
		// where ordinary users may not create user namespaces.
		b.Call("set user id", unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1)
	} else {
		// A namespace without real root denies setgroups; the groups that the
		// user had reach nothing in the box.
		b.Try(unix.SYS_SETGROUPS, 0, 0)
	}
	b.Call("set group id", unix.SYS_SETRESGID, gid, gid, gid)
	b.Call("set user id", unix.SYS_SETRESUID, uid, uid, uid)
	if b.l.tier == TierRoot {
		b.setCapabilities(1 << unix.CAP_SYS_ADMIN)
	}
	// Changing ids made us undumpable, and with that our maps unwritable.
	b.Call(stepUserNS, unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1)
	b.Call(stepUserNS, unix.SYS_UNSHARE, unix.CLONE_NEWUSER)
	b.procFile(proc, next, "self/setgroups", "deny")
	insideUID, insideGID := b.c.inside()
	b.procFile(proc, next, "self/uid_map", fmt.Sprintf("%d %d 1", insideUID, uid))
	b.procFile(proc, next, "self/gid_map", fmt.Sprintf("%d %d 1", insideGID, gid))
}

// procFile writes one file below /proc. All lower descriptors are taken, so it
// is opened as next.
func (b *builder) procFile(proc, next uint64, name, text string) {
	step := "write /proc/" + name
	b.Call(step, unix.SYS_OPENAT, proc, b.String(name), unix.O_WRONLY|unix.O_CLOEXEC)
	b.Call(step, unix.SYS_WRITE, next, b.String(text), uint64(len(text)))
	b.Call(step, unix.SYS_CLOSE, next)
}

// capabilities gives up all of them, for ever.
func (b *builder) capabilities() {
	for c := range b.l.lastCap + 1 {
		b.Call("drop capabilities", unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uint64(c))
	}
	b.setCapabilities(0)
}

// setCapabilities sets the effective and permitted sets to those of the first
// 32 that are in set.
func (b *builder) setCapabilities(set uint32) {
	header := binary.LittleEndian.AppendUint64(nil, capabilityVersion3)
	data := make([]byte, 24)
	binary.LittleEndian.PutUint32(data, set)
	binary.LittleEndian.PutUint32(data[4:], set)
	b.Call("drop capabilities", unix.SYS_CAPSET, b.Bytes(header), b.Bytes(data))
}

// seccomp installs the filter for grain-init and, by inheritance, the app.
func (b *builder) seccomp() {
	filter := b.Bytes(b.l.filter)
	fprog := binary.LittleEndian.AppendUint64(nil, uint64(len(b.l.filter)/8))
	fprog = binary.LittleEndian.AppendUint64(fprog, filter)
	b.Call("install the system call filter", unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, b.Bytes(fprog))
}
