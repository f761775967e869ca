//go:build linux

package sandbox

import "golang.org/x/sys/unix"

// newProc makes a /proc of the grain's own processes, for apps under development
// whose developers ask for it. It is made before the room is entered: in a user
// namespace the kernel wants to see a whole /proc first. Only processes are in
// it, and nothing can be written, above all not /proc/PID/mem.
func (b *builder) newProc() {
	const step = stepProc
	kind := b.CallTo(step, unix.SYS_FSOPEN, b.String("proc"), unix.FSOPEN_CLOEXEC)
	set := func(key, value string) {
		b.CallOn(kind, step, unix.SYS_FSCONFIG, unix.FSCONFIG_SET_STRING, b.String(key), b.String(value), 0)
	}
	set("subset", "pid")
	set("hidepid", "2") // grain-init is no business of the app's
	b.CallOn(kind, step, unix.SYS_FSCONFIG, unix.FSCONFIG_CMD_CREATE, 0, 0, 0)
	const attrs = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC
	b.proc = b.CallOnTo(kind, step, unix.SYS_FSMOUNT, unix.FSMOUNT_CLOEXEC, attrs)
	b.CallOn(kind, step, unix.SYS_CLOSE)
}
