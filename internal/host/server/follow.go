package server

import (
	"context"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// maxFollowers bounds how many logs are read at the same time.
const maxFollowers = 256

// grainLog returns a socket from which the grain's log can be read. Whoever
// closes it, or dies, ends the reading.
func (s *server) grainLog(p wire.LogParams) (*os.File, error) {
	select {
	case s.followers <- struct{}{}:
	default:
		return nil, sandstorm.Errorf(sandstorm.Exhausted, "host.logs", "%d logs are being read", maxFollowers)
	}
	far, err := s.followLog(p)
	if err != nil {
		<-s.followers
		return nil, err
	}
	return far, nil
}

func (s *server) followLog(p wire.LogParams) (*os.File, error) {
	g, err := s.table.acquire(p.Grain)
	if err != nil {
		return nil, err
	}
	log, err := s.table.logOf(g)
	if err != nil {
		s.table.release(g)
		return nil, err
	}
	near, far, err := socketPair()
	if err != nil {
		s.table.release(g)
		return nil, err
	}
	pos := log.tail(max(p.Backlog, 0))
	s.background.Go(func() {
		defer func() { <-s.followers }()
		defer s.table.release(g)
		copyTail(s.life, log, near, pos, p.Follow)
	})
	return far, nil
}

// copyTail writes the log from pos on to conn. How slowly conn is read is of no
// concern to the app: what it cannot take in time is dropped with the old log.
func copyTail(ctx context.Context, log *grainLog, conn net.Conn, pos int64, follow bool) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if follow {
		go func() {
			// Nothing is ever sent to us: this returns when the reader leaves.
			_, _ = conn.Read(make([]byte, 1))
			cancel()
		}()
	}
	for {
		n, next, more, err := writeChunk(log, conn, pos)
		if err != nil {
			return
		}
		pos = next
		if n > 0 {
			continue
		}
		if more == nil || !follow {
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		}
	}
}

// writeChunk copies one chunk; it holds a buffer only meanwhile.
func writeChunk(log *grainLog, conn net.Conn, pos int64) (n int, next int64, more <-chan struct{}, err error) {
	buf := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(buf)
	n, next, more, err = log.read(pos, buf[:])
	if err == nil && n > 0 {
		_, err = conn.Write(buf[:n])
	}
	return n, next, more, err
}

// socketPair makes a connected pair of stream sockets: one end to use here,
// one to send away.
func socketPair() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	near, far := os.NewFile(uintptr(fds[0]), "near"), os.NewFile(uintptr(fds[1]), "far")
	defer near.Close()
	conn, err := net.FileConn(near)
	if err != nil {
		far.Close()
		return nil, nil, err
	}
	return conn, far, nil
}
