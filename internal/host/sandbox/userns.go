//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/stage"
	"golang.org/x/sys/unix"
)

// userNSMarker is set in the environment of a process that entered a user
// namespace by itself, so that it does not try for ever.
const userNSMarker = "SANDSTORM_IN_USERNS"

// outerNamespaces are those of the host process of an ordinary user: it must
// own its mount and network namespaces in order to make and leave others.
const outerNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC

// NeedsUserNamespace reports whether this process must call
// ReexecInUserNamespace before New: it is not root with CAP_SYS_ADMIN.
func NeedsUserNamespace() bool {
	return os.Geteuid() != 0 || !hasCapability(unix.CAP_SYS_ADMIN)
}

// ReexecInUserNamespace replaces this process by the same program with the same
// arguments as root of a new user namespace, in which 0 stands for the user's
// own ids. The process id, standard descriptors and parent stay as they are, so
// there is no helper process that could die or would have to forward signals.
// Descriptors that are marked close-on-exec are closed. It must be called before
// anything else has been set up, and returns only if it fails.
func ReexecInUserNamespace() error {
	if os.Getenv(userNSMarker) != "" {
		return startErrorHint("enter a user namespace", unix.EPERM,
			"the host process entered a user namespace but is not root in it")
	}
	// Once this program is replaced nobody can report an error: try it first.
	if err := probe(enterUserNamespace); err != nil {
		return err
	}
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return startError("open this program", err)
	}
	defer self.Close()
	p := stage.New(2)
	enterUserNamespace(p)
	env := append(os.Environ(), userNSMarker+"=1")
	// The first execve closes what is marked close-on-exec; this one must live
	// until the second.
	fd, err := unix.FcntlInt(self.Fd(), unix.F_DUPFD, 3)
	if err != nil {
		return startError("open this program", err)
	}
	defer unix.Close(fd)
	p.Call("mark the program", unix.SYS_FCNTL, uint64(fd), unix.F_SETFD, unix.FD_CLOEXEC)
	p.Call("execute this program", unix.SYS_EXECVEAT, uint64(fd), p.String(""),
		p.Strings(os.Args), p.Strings(env), unix.AT_EMPTY_PATH)
	image, err := stageFile(p)
	if err != nil {
		return err
	}
	defer image.Close()
	err = syscall.Exec(fdPath(image), os.Args[:1], env)
	return startError("execute the first stage", err)
}

// enterUserNamespace adds the steps that make a process root of a namespace of
// its own.
func enterUserNamespace(p *stage.Program) {
	p.Call(stepUserNS, unix.SYS_UNSHARE, outerNamespaces)
	for _, f := range []struct{ name, text string }{
		{"setgroups", "deny"},
		{"uid_map", fmt.Sprintf("0 %d 1", os.Geteuid())},
		{"gid_map", fmt.Sprintf("0 %d 1", os.Getegid())},
	} {
		step := "write /proc/self/" + f.name
		fd := p.CallTo(step, unix.SYS_OPENAT, atCWD, p.String("/proc/self/"+f.name), unix.O_WRONLY|unix.O_CLOEXEC)
		p.CallOn(fd, step, unix.SYS_WRITE, p.String(f.text), uint64(len(f.text)))
		p.CallOn(fd, step, unix.SYS_CLOSE)
	}
}

// stageFile makes an executable of p that has no name.
func stageFile(p *stage.Program) (*os.File, error) {
	program, err := p.Encode()
	if err != nil {
		return nil, err
	}
	image, err := stage.Image(program)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("stage", unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate("stage", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, startError("create an executable in memory", err)
	}
	// A child's first descriptors are replaced before it executes this one.
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 10)
	_ = unix.Close(fd)
	if err != nil {
		return nil, startError("create an executable in memory", err)
	}
	f := os.NewFile(uintptr(high), "stage")
	if _, err := f.Write(image); err != nil {
		_ = f.Close()
		return nil, startError("create an executable in memory", err)
	}
	return f, nil
}

func fdPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// probe runs steps in a process of their own and returns the error of the one
// that failed.
func probe(steps func(*stage.Program)) error {
	const status = 3
	p := stage.New(status)
	steps(p)
	p.Call("end", unix.SYS_EXIT_GROUP, 0)
	image, err := stageFile(p)
	if err != nil {
		return err
	}
	defer image.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return startError("create the status pipe", err)
	}
	defer r.Close()
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		_ = w.Close()
		return startError("open /dev/null", err)
	}
	defer null.Close()
	files := []uintptr{null.Fd(), null.Fd(), null.Fd(), w.Fd()}
	pid, err := syscall.ForkExec(fdPath(image), []string{"probe"}, &syscall.ProcAttr{Files: files})
	_ = w.Close()
	if err != nil {
		return startError("execute a probe", err)
	}
	return probeResult(pid, r, p)
}

func probeResult(pid int, r io.Reader, p *stage.Program) error {
	step, errno, err := readReport(r)
	var status unix.WaitStatus
	for {
		if _, waitErr := unix.Wait4(pid, &status, 0, nil); !errors.Is(waitErr, unix.EINTR) {
			break
		}
	}
	if err == nil {
		return startError(p.Step(step), unix.Errno(errno))
	}
	if status.ExitStatus() != 0 {
		return startError("probe", unix.ECHILD)
	}
	return nil
}

// hasCapability reports whether a capability is in the effective set.
func hasCapability(c int) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[c/32].Effective&(1<<(c%32)) != 0
}
