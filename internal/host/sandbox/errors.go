//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"os"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"golang.org/x/sys/unix"
)

// Steps that hints know.
const (
	stepNamespaces = "create namespaces" // the fork
	stepMountNS    = "create a mount namespace"
	stepNetNS      = "create a network namespace"
	stepUserNS     = "create the user namespace"
	stepExecute    = "execute the command"
	stepProc       = "mount /proc"
)

// startError says that a step failed, with the hint that is known for it.
func startError(step string, err error) error {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return wrapStart(&host.StartError{Step: step}, err)
	}
	return wrapStart(&host.StartError{Step: step, Errno: errnoName(errno), Hint: hint(step, errno)}, err)
}

// startErrorHint is a startError whose hint is known to the caller.
func startErrorHint(step string, errno unix.Errno, hint string) error {
	return wrapStart(&host.StartError{Step: step, Errno: errnoName(errno), Hint: hint}, errno)
}

// wrapStart gives a start error its kind. A package that is broken is Invalid:
// trying again does not help.
func wrapStart(e *host.StartError, cause error) error {
	kind := sandstorm.Unavailable
	switch {
	case errors.Is(cause, unix.ETXTBSY), errors.Is(cause, unix.ENOMEM), errors.Is(cause, unix.EAGAIN):
	case e.Step == stepExecute, errors.Is(cause, unix.ELOOP):
		kind = sandstorm.Invalid
	}
	return sandstorm.Errorf(kind, "grain.start", "%w (%w)", e, cause).
		With("step", e.Step).With("errno", e.Errno).With("hint", e.Hint)
}

func errnoName(errno unix.Errno) string {
	if name := unix.ErrnoName(errno); name != "" {
		return name
	}
	return fmt.Sprintf("errno %d", int(errno))
}

// hint is what an administrator can do about a failed step, or "".
func hint(step string, errno unix.Errno) string {
	switch step {
	case stepExecute:
		return executeHint(errno)
	case stepUserNS:
		return userNSHint(errno)
	case stepProc:
		return procHint(errno)
	case stepNamespaces, stepMountNS, stepNetNS:
		return namespaceHint(errno)
	}
	switch errno {
	case unix.ELOOP:
		return "the package has a symbolic link where the platform mounts its own files; it is broken or hostile"
	case unix.ENOTDIR:
		return "the package has a file where a directory is needed"
	case unix.ENOSYS:
		return "the kernel is too old: Linux 5.12 or later is needed"
	case unix.EMFILE, unix.ENFILE:
		return "too many open files: raise the limit of the host process (LimitNOFILE)"
	case unix.ENOMEM, unix.ENOSPC:
		return "the machine has run out of memory, or of mounts (fs.mount-max)"
	case unix.EPERM:
		return "the host process lacks a privilege (in a container: CAP_SYS_ADMIN, and no seccomp profile that denies mounts)"
	}
	return ""
}

func executeHint(errno unix.Errno) string {
	switch errno {
	case unix.ENOENT:
		return "the package has no such program, or the program's interpreter or loader is missing from the package"
	case unix.EACCES:
		return "the program, or a directory on the way to it, is not executable"
	case unix.ENOEXEC:
		return "the program is not an executable of this machine's processor architecture (scripts must begin with #!)"
	case unix.ENOTDIR:
		return "a part of the program's path is not a directory"
	case unix.ELOOP:
		return "the program's path is a loop of symbolic links"
	case unix.E2BIG:
		return "the command or its environment is too long"
	case unix.ETXTBSY:
		return "the program is still being written; try again"
	}
	return ""
}

// procHint explains a /proc that an app under development does not get.
func procHint(errno unix.Errno) string {
	switch errno {
	case unix.EPERM:
		return "no /proc can be mounted here, because parts of the machine's own are hidden, as in a container: develop the app without /proc"
	case unix.EINVAL, unix.ENOSYS:
		return "Linux 5.8 or later is needed for a /proc in grains: develop the app without it"
	}
	return ""
}

func namespaceHint(errno unix.Errno) string {
	switch errno {
	case unix.EPERM:
		return userNSHint(errno)
	case unix.ENOSPC:
		return "too many namespaces: raise user.max_pid_namespaces, user.max_net_namespaces and their like"
	case unix.EAGAIN:
		return "too many processes: raise pids.max or LimitNPROC of the host process"
	case unix.EINVAL, unix.ENOSYS:
		return "the kernel was built without some namespaces"
	}
	return ""
}

// userNSHint looks for the setting that forbids user namespaces here.
func userNSHint(errno unix.Errno) string {
	switch {
	case setting("/proc/sys/user/max_user_namespaces") == "0":
		return "user namespaces are switched off: set sysctl user.max_user_namespaces to 10000 or more"
	case errno == unix.ENOSPC || errno == unix.EUSERS:
		return "too many user namespaces: raise sysctl user.max_user_namespaces"
	case setting("/proc/sys/kernel/unprivileged_userns_clone") == "0":
		return "ordinary users may not create namespaces: set sysctl kernel.unprivileged_userns_clone=1, or run the host as root"
	case setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
		return "AppArmor restricts user namespaces: install Sandstorm's AppArmor profile, or set sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run the host as root"
	}
	return "namespaces are not permitted here: in a container, allow them or run the host as root with CAP_SYS_ADMIN"
}

// setting reads a sysctl; "" if there is none.
func setting(path string) string {
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		return ""
	}
	return string(text[:len(text)-1])
}
