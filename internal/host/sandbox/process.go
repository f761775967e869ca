//go:build linux

package sandbox

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/stage"
	"golang.org/x/sys/unix"
)

// Process is a running grain: its grain-init, and with it everything in its PID
// namespace.
type Process struct {
	l      *Launcher
	pid    int
	pidfd  *os.File // owned by watch
	status *os.File // owned by watch; nil if attached
	killed atomic.Bool
	done   chan struct{}
	exit   host.Exit // valid once done is closed

	startOnce sync.Once
	start     uint64

	mu  sync.RWMutex
	net *os.File // nil once the grain has ended
}

func (l *Launcher) newProcess(pid, pidfd int, net, status *os.File) *Process {
	return &Process{
		l: l, pid: pid, net: net, status: status,
		pidfd: pollable(pidfd), done: make(chan struct{}),
	}
}

// pollable wraps a pidfd so that the runtime can wait for it without a thread.
func pollable(pidfd int) *os.File {
	_ = unix.SetNonblock(pidfd, true) // cannot fail for an open descriptor
	return os.NewFile(uintptr(pidfd), "pidfd")
}

// PID is the process id of grain-init, as this process sees it.
func (p *Process) PID() int { return p.pid }

// StartTime is the kernel's start time of grain-init in clock ticks since boot.
// With the PID it names the process for Attach. It is 0 if it is first asked for
// after the grain has ended.
func (p *Process) StartTime() uint64 {
	p.startOnce.Do(func() {
		p.mu.RLock() // as long as it is not collected, the id stays its own
		defer p.mu.RUnlock()
		if p.net != nil {
			p.start, _ = startTime(p.pid)
		}
	})
	return p.start
}

// Done is closed when the grain has ended and all its processes are gone.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the grain, or of ctx.
func (p *Process) Wait(ctx context.Context) (host.Exit, error) {
	select {
	case <-p.done:
		return p.exit, nil
	default:
	}
	select {
	case <-p.done:
		return p.exit, nil
	case <-ctx.Done():
		return host.Exit{}, ctx.Err()
	}
}

// Kill kills all processes of the grain. It does not wait for their end; Exit
// will say Stopped. Killing what has ended does nothing.
func (p *Process) Kill() error {
	p.killed.Store(true)
	conn, err := p.pidfd.SyscallConn()
	if err == nil {
		ctlErr := conn.Control(func(fd uintptr) {
			err = unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0)
		})
		if ctlErr != nil { // watch has closed it: the grain has ended
			return nil
		}
	}
	if errors.Is(err, unix.ESRCH) || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// watch waits for the end of the grain and cleans up after it.
func (p *Process) watch() {
	p.awaitEnd()
	p.mu.Lock()
	p.exit = p.readExit()
	closeAll(p.net, p.status, p.pidfd)
	p.net = nil
	p.mu.Unlock()
	close(p.done)
}

// abandon ends a grain that was never handed out.
func (p *Process) abandon() {
	_ = p.Kill()
	p.awaitEnd()
	_ = p.readExit()
	closeAll(p.status, p.pidfd)
}

// awaitEnd waits until grain-init is dead. The kernel lets that happen only
// after all other processes of its namespace have gone.
func (p *Process) awaitEnd() {
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Read(func(fd uintptr) bool { return ended(int(fd)) })
}

// ended reports whether the process of a pidfd is dead.
func ended(pidfd int) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 0)
		if !errors.Is(err, unix.EINTR) {
			return err != nil || n > 0
		}
	}
}

// readExit collects the dead process, so that no zombie remains, and finds out
// why it ended: best from what grain-init reported of the app itself.
func (p *Process) readExit() host.Exit {
	exit := host.Exit{Unknown: true}
	status, known := collect(p.pidfd)
	if app, ok := p.reported(); ok {
		exit = exitOf(app)
	} else if known {
		exit = exitOfInit(status)
	}
	exit.Stopped = p.killed.Load()
	return exit
}

// reported is the wait status of the app, if grain-init reported it to us.
func (p *Process) reported() (status unix.WaitStatus, ok bool) {
	// The writer is gone: reading gives what is left and then the end.
	for p.status != nil {
		step, value, err := readReport(p.status)
		if err != nil {
			break
		}
		if step == stage.StepEnded {
			return unix.WaitStatus(value), true
		}
	}
	return 0, false
}

// exitOf describes the end of the app.
func exitOf(status unix.WaitStatus) host.Exit {
	if status.Signaled() {
		return host.Exit{Signal: unix.SignalName(status.Signal())}
	}
	return host.Exit{Code: status.ExitStatus()}
}

// exitOfInit describes the end of the app by that of grain-init, which exits
// with 128 plus the number of the signal that killed the app.
func exitOfInit(status unix.WaitStatus) host.Exit {
	const signals = 128
	if code := status.ExitStatus(); code > signals && code <= signals+64 {
		return host.Exit{Signal: unix.SignalName(unix.Signal(code - signals))}
	}
	return exitOf(status)
}
