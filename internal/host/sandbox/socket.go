//go:build linux

package sandbox

import (
	"log/slog"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// socketThread makes sockets inside the network namespaces of grains. Only its
// thread ever enters them; the socket can then be used from any other.
type socketThread struct {
	log  *slog.Logger
	home *os.File
	mu   sync.Mutex
	t    *thread // nil after a failed return, until the next call
	done bool
}

func newSocketThread(log *slog.Logger) (*socketThread, error) {
	home, err := os.Open(threadNet)
	if err != nil {
		return nil, startError("open the network namespace", err)
	}
	s := &socketThread{log: log, home: home}
	s.t, err = newThread(func() error {
		// Fails if this process does not own its network namespace: then no
		// socket could be made, because there would be no way back.
		if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
			return startError("return to the network namespace", err)
		}
		return nil
	})
	if err != nil {
		_ = home.Close()
		return nil, err
	}
	return s, nil
}

// tcp makes a non-blocking IPv4 TCP socket in the namespace net.
func (s *socketThread) tcp(net *os.File) (fd int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return -1, os.ErrClosed
	}
	if s.t == nil {
		if s.t, err = newThread(func() error { return nil }); err != nil {
			return -1, err
		}
	}
	var back error
	s.t.do(func() {
		if err = unix.Setns(int(net.Fd()), unix.CLONE_NEWNET); err != nil {
			return
		}
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		back = unix.Setns(int(s.home.Fd()), unix.CLONE_NEWNET)
	})
	if back != nil {
		s.log.Error("thread cannot leave a grain's network namespace; it ends", "err", back)
		// The thread is in a grain's namespace: it must never run anything else.
		s.t.stop()
		s.t = nil
	}
	if err != nil {
		return -1, err
	}
	return fd, nil
}

func (s *socketThread) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return
	}
	s.done = true
	if s.t != nil {
		s.t.stop()
	}
	_ = s.home.Close()
}
