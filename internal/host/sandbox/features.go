//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/seccomp"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/stage"
	"golang.org/x/sys/unix"
)

// Features examines what the sandbox wants of this machine, for people who set
// one up. It works as root and as an ordinary user, before and after
// ReexecInUserNamespace, and changes nothing.
func Features() []host.Feature {
	out := []host.Feature{
		needed("architecture", archError()),
		needed("mount-api", mountAPIError()),
		needed("openat2", openat2Error()),
		needed("pidfd", pidfdError()),
		needed("seccomp", seccompError()),
		needed("proc", procError()),
		needed("namespaces", namespaceError()),
	}
	root := CurrentTier() == TierRoot
	out = append(out, wanted("distinct-ids", root,
		"run the host as root, so that each grain can have a user id of its own"))
	if root {
		out = append(out, wanted("reattach", hasCapability(unix.CAP_SYS_PTRACE),
			"give the host process CAP_SYS_PTRACE, or grains cannot be reached after it restarts"))
	}
	out = append(out, wanted("fuse", mayUseFUSE(),
		"load the kernel's module fuse and let the host's user open /dev/fuse (chmod 666), or apps under development are copied at each change"))
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	return append(out, wanted("cgroup2", err == nil, "boot with the unified cgroup hierarchy, for limits of memory and processes per grain"))
}

func needed(name string, err error) host.Feature {
	f := host.Feature{Name: name, OK: err == nil, Needed: true}
	if err == nil {
		return f
	}
	f.Remedy = err.Error()
	var start *host.StartError
	if errors.As(err, &start) && start.Hint != "" {
		f.Remedy = start.Hint
	}
	return f
}

func wanted(name string, ok bool, remedy string) host.Feature {
	f := host.Feature{Name: name, OK: ok}
	if !ok {
		f.Remedy = remedy
	}
	return f
}

func archError() error {
	if _, err := stage.Image(nil); err != nil {
		return fmt.Errorf("%s: %w", runtime.GOARCH, err)
	}
	return nil
}

// tooOld names the kernel that introduced a call that is missing.
func tooOld(err error, version string) error {
	if errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("upgrade the kernel to Linux %s or later", version)
	}
	return err
}

func mountAPIError() error {
	// A call with an impossible argument tells whether there is such a call.
	err := unix.MountSetattr(-1, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	if errors.Is(err, unix.EBADF) || errors.Is(err, unix.EPERM) {
		return nil
	}
	return tooOld(err, "5.12")
}

func openat2Error() error {
	fd, err := unix.Openat2(unix.AT_FDCWD, "/", &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC})
	if err != nil {
		return tooOld(err, "5.6")
	}
	return unix.Close(fd)
}

func pidfdError() error {
	fd, err := unix.PidfdOpen(os.Getpid(), unix.PIDFD_NONBLOCK)
	if err != nil {
		return tooOld(err, "5.10")
	}
	return unix.Close(fd)
}

func seccompError() error {
	if _, err := seccomp.Filter(); err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, 0)
	if errno != unix.EFAULT && errno != unix.EINVAL && errno != unix.EACCES {
		return errors.New("the kernel was built without CONFIG_SECCOMP_FILTER")
	}
	return nil
}

func procError() error {
	if _, err := startTime(os.Getpid()); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}

// namespaceError tries, in a short-lived process, what the host process will do:
// as root one of each namespace, else the user namespace that makes it root.
func namespaceError() error {
	if archError() != nil {
		return archError()
	}
	if NeedsUserNamespace() {
		return probe(func(p *stage.Program) {
			enterUserNamespace(p)
			p.Call(stepNamespaces, unix.SYS_UNSHARE, namespaces|unix.CLONE_NEWNS|unix.CLONE_NEWNET)
			p.Call(stepUserNS, unix.SYS_UNSHARE, unix.CLONE_NEWUSER)
		})
	}
	return probe(func(p *stage.Program) {
		p.Call(stepNamespaces, unix.SYS_UNSHARE, namespaces|unix.CLONE_NEWNS|unix.CLONE_NEWNET)
		p.Call(stepUserNS, unix.SYS_UNSHARE, unix.CLONE_NEWUSER)
	})
}
