package host

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// lastRead is how long a failed install waits for a Read of its source that is
// under way.
const lastRead = time.Second

// InstallPackage implements Client. After a failure, a Read of src that blocks
// may still be under way when it returns; its data is thrown away.
func (c *client) InstallPackage(ctx context.Context, src io.Reader, opts InstallOptions) (*Installed, error) {
	progress := make(chan int64, 1)
	params := wire.InstallParams{Want: opts.Want, Progress: opts.Progress != nil}
	up := &upload{op: wire.OpInstall, params: params, src: src, progress: progress, report: opts.Progress}
	out := new(Installed)
	files, err := up.send(ctx, c, out)
	wire.CloseAll(files)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// upload is a call that comes with a .spk.
type upload struct {
	op       string
	params   any
	src      io.Reader
	more     []*os.File  // go along, after the package
	progress chan int64  // with room for one; nil for none
	report   func(int64) // is told the progress
}

// send makes the call and returns the files of its result, which it decodes.
func (u *upload) send(ctx context.Context, c *client, result any) ([]*os.File, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Internal, "", "socket for the package: %w", err)
	}
	defer ours.Close()
	var news func(*wire.Message)
	if u.progress != nil {
		news = latestProgress(u.progress)
	}
	call, err := c.start(ctx, u.op, u.params, news, append([]*os.File{theirs}, u.more...)...)
	theirs.Close()
	if err != nil {
		return nil, err
	}
	feed := &feed{src: u.src, dst: ours, done: make(chan struct{})}
	go feed.run()
	a, err := feed.follow(ctx, call, u.progress, u.report)
	if err != nil {
		return nil, err
	}
	return a.decode(result)
}

// latestProgress keeps the newest figure in ch.
func latestProgress(ch chan int64) func(*wire.Message) {
	return func(m *wire.Message) {
		var p wire.InstallProgress
		if json.Unmarshal(m.Progress, &p) != nil {
			return
		}
		select {
		case <-ch:
		default:
		}
		ch <- p.Read // there is room: only this goroutine sends
	}
}

// feed copies the .spk to the host process.
type feed struct {
	src  io.Reader
	dst  *net.UnixConn
	done chan struct{}
	err  error // of reading src; valid once done is closed
}

func (f *feed) run() {
	defer close(f.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := f.src.Read(buf)
		if n > 0 {
			if _, werr := f.dst.Write(buf[:n]); werr != nil {
				return // the host has made up its mind: its answer says why
			}
		}
		if errors.Is(err, io.EOF) {
			f.dst.CloseWrite()
			return
		}
		if err != nil {
			f.err = err
			return
		}
	}
}

// follow waits for the call and for the end of the copying.
func (f *feed) follow(ctx context.Context, c *call, progress <-chan int64, report func(int64)) (answer, error) {
	done := f.done
	for {
		select {
		case n := <-progress:
			report(n)
		case <-done:
			if f.err != nil {
				c.cancel()
				return answer{}, sourceError(f.err)
			}
			done = nil
		case a := <-c.answer:
			f.stop()
			return a, nil
		case <-ctx.Done():
			c.cancel()
			f.stop()
			return answer{}, canceled(ctx, "send a package")
		}
	}
}

// sourceError leaves alone an error that knows its kind, such as "upload is too
// large".
func sourceError(err error) error {
	var known *sandstorm.Error
	if errors.As(err, &known) {
		return err
	}
	return sandstorm.Errorf(sandstorm.Unavailable, "host.source", "read the package: %w", err)
}

// stop ends the copying. It waits for it, but not for a source that blocks.
func (f *feed) stop() {
	f.dst.Close()
	select {
	case <-f.done:
	case <-time.After(lastRead):
	}
}

// socketPair makes a connected pair of stream sockets: one end to use here,
// one to send away.
func socketPair() (*net.UnixConn, *os.File, error) {
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
	return conn.(*net.UnixConn), far, nil
}
