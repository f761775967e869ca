package server

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/stage"
)

// join replaces this process by the same program with the same arguments in
// the user namespace ns. A process with threads, as those of Go, cannot change
// its user namespace, so a few system calls between two executions do. It
// returns only if it fails before the first of them; what fails later is
// written to standard error.
func join(ns *os.File) error {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer self.Close()
	// These must live until the second execution.
	program, err := unix.FcntlInt(self.Fd(), unix.F_DUPFD, 3)
	if err != nil {
		return err
	}
	defer unix.Close(program)
	target, err := unix.FcntlInt(ns.Fd(), unix.F_DUPFD, 3)
	if err != nil {
		return err
	}
	defer unix.Close(target)
	image, err := joinImage(uint64(program), uint64(target))
	if err != nil {
		return err
	}
	defer image.Close()
	path := fmt.Sprintf("/proc/self/fd/%d", image.Fd())
	err = syscall.Exec(path, os.Args[:1], os.Environ())
	return fmt.Errorf("execute the stage that joins a user namespace: %w", err)
}

// joinImage is an executable without a name that joins the user namespace
// target, makes the other namespaces that a host process must own, and executes
// program.
func joinImage(program, target uint64) (*os.File, error) {
	const status = 2
	const own = unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC
	p := stage.New(status)
	p.Call("join the user namespace", unix.SYS_SETNS, target, unix.CLONE_NEWUSER)
	p.Call("create namespaces", unix.SYS_UNSHARE, own)
	p.Call("close the namespace", unix.SYS_CLOSE, target)
	p.Call("mark the program", unix.SYS_FCNTL, program, unix.F_SETFD, unix.FD_CLOEXEC)
	env := append(os.Environ(), joined+"=1")
	p.Call("execute the program", unix.SYS_EXECVEAT, program, p.String(""),
		p.Strings(os.Args), p.Strings(env), unix.AT_EMPTY_PATH)
	code, err := p.Encode()
	if err != nil {
		return nil, err
	}
	elf, err := stage.Image(code)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("stage", unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate("stage", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "stage")
	if _, err := f.Write(elf); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
