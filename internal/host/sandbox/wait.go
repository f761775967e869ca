//go:build linux

package sandbox

import (
	"encoding/binary"
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// collect returns how a dead process ended. If it is our child (also after this
// program replaced itself by execve) it is taken off the kernel's list; of
// others, the kernel tells from Linux 6.15 on.
func collect(pidfd *os.File) (status unix.WaitStatus, ok bool) {
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_PIDFD, int(rawFD(pidfd)), &info, unix.WEXITED|unix.WNOHANG, nil)
		if err == nil && info.Signo != 0 {
			return statusOf(&info), true
		}
		if !errors.Is(err, unix.EINTR) {
			return exitOfStranger(pidfd)
		}
	}
}

// statusOf turns what waitid tells into a wait status.
func statusOf(info *unix.Siginfo) unix.WaitStatus {
	const (
		exited    = 1  // CLD_EXITED
		offStatus = 24 // of si_status
	)
	raw := (*[unsafe.Sizeof(*info)]byte)(unsafe.Pointer(info))
	value := binary.LittleEndian.Uint32(raw[offStatus:])
	if info.Code == exited {
		return unix.WaitStatus(value & 0xff << 8)
	}
	return unix.WaitStatus(value & 0x7f)
}

// pidfdInfo is struct pidfd_info of Linux 6.15.
type pidfdInfo struct {
	mask     uint64
	cgroup   uint64
	ids      [11]uint32
	exitCode int32
}

const (
	pidfdInfoExit = 1 << 3
	// pidfdGetInfo is _IOWR(0xff, 11, struct pidfd_info).
	pidfdGetInfo = 3<<30 | unsafe.Sizeof(pidfdInfo{})<<16 | 0xff<<8 | 11
)

// exitOfStranger asks for the wait status of a process that is not our child.
func exitOfStranger(pidfd *os.File) (status unix.WaitStatus, ok bool) {
	info := pidfdInfo{mask: pidfdInfoExit}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, rawFD(pidfd), pidfdGetInfo, uintptr(unsafe.Pointer(&info)))
	if errno != 0 || info.mask&pidfdInfoExit == 0 {
		return 0, false
	}
	return unix.WaitStatus(info.exitCode), true
}
