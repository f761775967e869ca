//go:build linux

package sandbox

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"golang.org/x/sys/unix"
)

// Times between attempts to reach an app that does not listen yet.
const (
	firstPause = 100 * time.Microsecond
	lastPause  = 10 * time.Millisecond
)

// errEnded says that there is nothing to talk to any more.
func errEnded(err error) error {
	return sandstorm.Errorf(sandstorm.NotFound, "grain.not-running", "the grain has ended: %w", err)
}

// Dial connects to 127.0.0.1:port inside the grain. It waits until the app
// listens, the grain ends (NotFound) or ctx is done.
func (p *Process) Dial(ctx context.Context, port int) (net.Conn, error) {
	f, err := p.DialFile(ctx, port)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return net.FileConn(f)
}

// DialFile is Dial for a caller that passes the connection on: a connected,
// non-blocking TCP socket.
func (p *Process) DialFile(ctx context.Context, port int) (*os.File, error) {
	f, err := p.socket()
	if err != nil {
		return nil, err
	}
	addr := &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	for pause := firstPause; ; pause = min(pause*3/2, lastPause) {
		err = connect(ctx, f, addr)
		if err == nil {
			return f, nil
		}
		if errors.Is(err, unix.ECONNREFUSED) {
			err = p.pause(ctx, pause)
		}
		if err != nil {
			_ = f.Close()
			return nil, dialError(port, err)
		}
	}
}

// dialError gives an error its kind, if it has none.
func dialError(port int, err error) error {
	var known *sandstorm.Error
	if errors.As(err, &known) {
		return err
	}
	return sandstorm.Errorf(sandstorm.Unavailable, "grain.connect", "connect to port %d in the grain: %w", port, err)
}

// Listen returns a non-blocking TCP socket that listens on 127.0.0.1:port
// inside the grain, for services that apps expect there.
func (p *Process) Listen(port int) (*os.File, error) {
	f, err := p.socket()
	if err != nil {
		return nil, err
	}
	fd := int(rawFD(f))
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = unix.Listen(fd, 128)
	}
	if err != nil {
		_ = f.Close()
		return nil, sandstorm.Errorf(sandstorm.Conflict, "grain.listen", "port %d inside the grain: %w", port, err)
	}
	return f, nil
}

// socket makes a TCP socket in the grain's network namespace.
func (p *Process) socket() (*os.File, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.net == nil {
		return nil, errEnded(unix.ESRCH)
	}
	fd, err := p.l.sockets.tcp(p.net)
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Unavailable, "grain.socket", "socket in the grain: %w", err)
	}
	return os.NewFile(uintptr(fd), "grain"), nil
}

// connect makes one attempt.
func connect(ctx context.Context, f *os.File, addr unix.Sockaddr) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	var result error
	begun := false
	err = conn.Write(func(fd uintptr) bool {
		if !begun {
			begun = true
			if result = unix.Connect(int(fd), addr); !errors.Is(result, unix.EINPROGRESS) {
				return true
			}
		}
		// On loopback the answer is usually there already.
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if n, err := unix.Poll(fds, 0); err != nil || n == 0 {
			return false
		}
		// Asking once more gives the result and, unlike SO_ERROR, makes a
		// refused socket fit for another attempt.
		result = unix.Connect(int(fd), addr)
		return !errors.Is(result, unix.EALREADY)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(err, result)
}

// pause waits for d, unless the grain or ctx ends before.
func (p *Process) pause(ctx context.Context, d time.Duration) error {
	if d < time.Millisecond {
		// The runtime's timers have the grain of a millisecond when it is idle.
		ts := unix.NsecToTimespec(int64(d))
		_ = unix.Nanosleep(&ts, nil)
		d = 0
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.done:
		return errEnded(unix.ECONNREFUSED)
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
