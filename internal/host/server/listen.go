package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// maxConns bounds the connections at one time. A server process needs one.
const maxConns = 64

// errConnClosed is what package net says of a closed connection.
var errConnClosed = net.ErrClosed

// listen serves clients until the host's life ends.
func (s *server) listen(opts *Options) error {
	l, err := openSocket(s.dirs.data, opts)
	if err != nil {
		return err
	}
	defer l.Close()
	defer context.AfterFunc(s.life, func() { l.Close() })()
	s.log.Info("host process listens", "path", l.Addr().String(), "grains", len(s.table.runs()))
	if opts.Ready != nil {
		opts.Ready()
	}
	return s.acceptAll(l, allowedPeers(opts.ServerUID))
}

func (s *server) acceptAll(l *net.UnixListener, allowed func(uid uint32) bool) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	slots := make(chan struct{}, maxConns)
	for {
		sock, err := l.AcceptUnix()
		if err != nil {
			if s.life.Err() != nil {
				return nil
			}
			if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ECONNABORTED) {
				s.log.Error("cannot accept a connection", "err", err)
				_ = pause(s.life, 100*time.Millisecond)
				continue
			}
			return err
		}
		uid, err := peerUID(sock)
		if err != nil || !allowed(uid) {
			s.log.Warn("a stranger connected", "uid", uid, "err", err)
			sock.Close()
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			s.log.Warn("too many connections")
			sock.Close()
			continue
		}
		conns.Go(func() {
			defer func() { <-slots }()
			c := &session{server: s, conn: wire.NewConn(sock), calls: map[uint64]context.CancelFunc{}}
			if err := c.serve(s.life); err != nil && !isOver(err) {
				s.log.Warn("connection was ended", "err", err)
			}
		})
	}
}

// allowedPeers says who may connect: root, this very user, and the user that
// the server process runs as.
func allowedPeers(server int) func(uint32) bool {
	own := uint32(os.Geteuid())
	return func(uid uint32) bool {
		if uid == overflowUID && inUserNamespace() {
			return false // that is how all foreign users look from here
		}
		return uid == 0 || uid == own || server > 0 && uid == uint32(server)
	}
}

// overflowUID is how users look that a user namespace does not know.
const overflowUID = 65534

// peerUID is the user at the other end, as the kernel knows it.
func peerUID(sock *net.UnixConn) (uint32, error) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var cerr error
	if err := raw.Control(func(fd uintptr) {
		cred, cerr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return 0, err
	}
	if cerr != nil {
		return 0, os.NewSyscallError("getsockopt(SO_PEERCRED)", cerr)
	}
	return cred.Uid, nil
}

// openSocket listens at the host's path. The lock of the directory is held, so
// that a socket that is there belongs to a host that is gone.
func openSocket(data string, opts *Options) (*net.UnixListener, error) {
	path := opts.SocketPath
	if path == "" {
		path = filepath.Join(data, "socket", "host")
	}
	if err := socketDir(filepath.Dir(path), opts); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix(wire.Network, &net.UnixAddr{Name: path, Net: wire.Network})
	if err != nil {
		return nil, err
	}
	// Who may use it is decided by the peer's credentials. The owner and the
	// mode only keep others from knocking.
	if os.Geteuid() == 0 && opts.ServerUID > 0 {
		if err := giveSocket(path, opts.ServerUID, opts.ServerGID); err != nil {
			l.Close()
			return nil, err
		}
	}
	return l, nil
}

// giveSocket changes the owner of a socket. The directory may belong to the
// server's user, who could put something else in its place meanwhile, a second
// name of a file of root's above all: only a socket with one name is given.
func giveSocket(path string, uid, gid int) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK || st.Nlink != 1 {
		return fmt.Errorf("%s is not the socket that was just made", path)
	}
	return os.NewSyscallError("fchownat", unix.Fchownat(fd, "", uid, gid, unix.AT_EMPTY_PATH))
}

// socketDir makes the directory for sockets, which the server process may use
// for its own as well.
func socketDir(path string, opts *Options) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 && opts.ServerUID > 0 {
		return os.Lchown(path, opts.ServerUID, opts.ServerGID)
	}
	return nil
}

// inUserNamespace reports whether this process knows only some user ids.
func inUserNamespace() bool {
	data, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return true
	}
	var inside, outside, count uint64
	_, err = fmt.Sscan(string(data), &inside, &outside, &count)
	return err != nil || count < 1<<32-1
}
