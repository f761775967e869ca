//go:build linux

package sandbox

import (
	"fmt"
	"syscall"

	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/stage"
	"golang.org/x/sys/unix"
)

// namespaces are those that a grain is born into. It makes its mount namespace
// as a copy of the room, its network namespace is taken from the pool, and its
// user namespace comes last.
const namespaces = unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// spawn starts grain-init with the given descriptors from 0 on; fdInit among
// them is what is executed, fdProgram what it does. The child shares our memory
// until then (vfork), so a large host process forks as fast as a small one.
func (l *Launcher) spawn(files []uintptr, cgroup int) (pid, pidfd int, err error) {
	pid, err = syscall.ForkExec(
		fmt.Sprintf("/proc/self/fd/%d", fdInit),
		[]string{initName, stage.Argument(fdProgram)},
		&syscall.ProcAttr{Files: files, Sys: &syscall.SysProcAttr{
			Cloneflags: namespaces, PidFD: &pidfd, UseCgroupFD: cgroup > 0, CgroupFD: cgroup,
		}},
	)
	if err != nil {
		return 0, -1, fmt.Errorf("fork: %w", err)
	}
	return pid, pidfd, nil
}
