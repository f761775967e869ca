package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os/user"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/locale"
)

// Limits of the socket for development.
const (
	maxDevConns   = 64
	maxDevPackage = 1 << 30          // bytes of a .spk
	devWait       = 10 * time.Second // for the first line, and for a client that does not read
	devDrain      = time.Minute      // for the rest of a package that was refused
)

// DevServerOptions are what ServeDev works with.
type DevServerOptions struct {
	Apps     *app.Service
	BaseURL  string         // where people open the server
	Messages *locale.Locale // English
	Log      *slog.Logger
}

type devServer struct{ DevServerOptions }

// ServeDev lets apps be developed through the socket until ctx is done; then it
// tells who develops, and returns when no app is under development any more.
// Who can open the socket may do so: nothing else is checked.
func ServeDev(ctx context.Context, l net.Listener, opts DevServerOptions) error {
	s := &devServer{opts}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	var conns sync.WaitGroup
	defer conns.Wait()
	slots := make(chan struct{}, maxDevConns)
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ECONNABORTED) {
			s.Log.Error("cannot accept a connection for development", "err", err)
			if !sleep(ctx, 100*time.Millisecond) {
				return nil
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("socket for development: %w", err)
		}
		select {
		case slots <- struct{}{}:
		default:
			conn.Close()
			continue
		}
		conns.Go(func() {
			defer func() { <-slots }()
			s.serve(ctx, conn.(*net.UnixConn))
		})
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// serve is one connection: an app under development, or an attempt at it.
func (s *devServer) serve(ctx context.Context, conn *net.UnixConn) {
	defer conn.Close()
	line := newDevLine(conn)
	defer func() { closeFiles(line.takeFiles()) }()
	// The server's end must not wait for somebody who sends slowly.
	stop := context.AfterFunc(ctx, func() { conn.CloseRead() })
	d, err := s.open(ctx, line, peerName(conn))
	if !stop() { // the server ends
		if err == nil {
			err = d.Close()
		}
		err = errors.Join(errServerEnds(), err)
	}
	if err != nil {
		s.tell(line, devAnswer{Error: describeFailure(s.Messages, err)})
		return
	}
	defer func() {
		if err := d.Close(); err != nil {
			s.Log.Error("an app under development did not end well", "err", err)
		}
	}()
	if !s.greet(line, d) {
		return
	}
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { s.watch(ctx, line, d, over) })
	s.answerAll(ctx, line, d)
	close(over)
	wg.Wait()
}

// open takes up the app that the first line names.
func (s *devServer) open(ctx context.Context, line *devLine, by string) (*app.Development, error) {
	if err := line.conn.SetReadDeadline(time.Now().Add(devWait)); err != nil {
		return nil, err
	}
	var hello devHello
	if err := line.read(&hello); err != nil {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "dev.protocol", "first line: %w", err)
	}
	if hello.Version != devVersion {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "dev.version", "the client speaks version %d, this server %d", hello.Version, devVersion)
	}
	if err := line.conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	src, err := line.body(hello.Size)
	if err != nil {
		return nil, err
	}
	return s.Apps.Develop(ctx, by, src, host.DevOptions{App: hello.App, Mount: hello.Mount, Proc: hello.Proc})
}

// greet answers the first line, with the device if the app is to be served.
func (s *devServer) greet(line *devLine, d *app.Development) bool {
	_ = line.conn.SetWriteDeadline(time.Now().Add(devWait))
	answer := devAnswer{Package: d.Package(), URL: s.BaseURL}
	device := d.FUSE()
	if device == nil {
		return line.write(answer) == nil
	}
	// It must not stay open here: its last end is the end of the file system.
	defer device.Close()
	return line.write(answer, device) == nil
}

// tell sends one line to a client that may be gone.
func (s *devServer) tell(line *devLine, answer devAnswer) {
	_ = line.conn.SetWriteDeadline(time.Now().Add(devWait))
	_ = line.write(answer)
}

// watch hangs up when the development ends here, and says why.
func (s *devServer) watch(ctx context.Context, line *devLine, d *app.Development, over <-chan struct{}) {
	var err error
	select {
	case <-over:
		return
	case <-d.Done():
		err = d.Err()
	case <-ctx.Done():
		err = errServerEnds()
	}
	s.tell(line, devAnswer{Ended: describeFailure(s.Messages, err)})
	line.conn.CloseRead() // ends answerAll; what was sent can still be read
}

func errServerEnds() error {
	return sandstorm.Errorf(sandstorm.Unavailable, "dev.server-ends", "the server ends")
}

// peerName is the user at the other end, for others who want the same app.
func peerName(conn *net.UnixConn) string {
	raw, err := conn.SyscallConn()
	if err != nil {
		return "?"
	}
	var cred *unix.Ucred
	if ctl := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); ctl != nil || err != nil {
		return "?"
	}
	uid := strconv.FormatUint(uint64(cred.Uid), 10)
	if u, err := user.LookupId(uid); err == nil {
		return u.Username
	}
	return uid
}
