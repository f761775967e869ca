package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// DevSocket is where a server with that data directory lets apps be developed:
// whoever may open the socket, its group above all, may do so (packages.md §10).
func DevSocket(dataDir string) string { return filepath.Join(dataDir, "socket", "dev") }

// KeyNoFUSE is the key of the error, of kind Unavailable, of a server that
// cannot mount an app that is served by a program. A copy of it works there.
const KeyNoFUSE = "dev.no-fuse"

// DevOptions say which app is developed, and how.
type DevOptions struct {
	App sandstorm.AppID
	// Mount asks for a FUSE file system to serve the app's files through. The
	// package then holds only its manifest and bridge configuration; otherwise
	// it holds everything.
	Mount bool
	// Proc mounts /proc in the app's grains, as no installed app can have it.
	Proc bool
}

// Dev is an app under development on a running server. It lasts until it is
// closed, this process ends, or the server ends it.
type Dev struct {
	line *devLine
	pkg  sandstorm.PackageID
	url  string
	fuse *os.File

	turn    chan struct{} // holds a token while a request is under way
	answers chan devAnswer
	done    chan struct{} // closed when it is over
	closing atomic.Bool   // by this side
	once    sync.Once
	err     error // why it is over; valid once done is closed
}

// OpenDev registers an app under development with the server at socket and
// returns once its grains use it. pkg is an .spk of size bytes; whoever signed
// it does not matter. ctx is for the opening only. Errors are *Error: Conflict if
// somebody develops that app already, KeyNoFUSE if only a copy works there.
func OpenDev(ctx context.Context, socket string, opts DevOptions, pkg io.Reader, size int64) (*Dev, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, devUnreachable(socket, err)
	}
	d := &Dev{
		line: newDevLine(conn.(*net.UnixConn)), turn: make(chan struct{}, 1),
		answers: make(chan devAnswer, 1), done: make(chan struct{}),
	}
	go d.receive()
	hello := devHello{Version: devVersion, App: opts.App, Mount: opts.Mount, Proc: opts.Proc, Size: size}
	answer, err := d.ask(ctx, hello, pkg, size)
	if err == nil && opts.Mount && len(answer.files) != 1 {
		err = errors.New("the server sent no descriptor for the app's files")
	}
	if err != nil {
		closeFiles(answer.files)
		return nil, errors.Join(err, d.Close())
	}
	d.pkg, d.url = answer.Package, answer.URL
	if opts.Mount {
		d.fuse = answer.files[0]
	}
	return d, nil
}

// Package is what the server calls the app while it is developed.
func (d *Dev) Package() sandstorm.PackageID { return d.pkg }

// URL is where people open the server, as far as it says so.
func (d *Dev) URL() string { return d.url }

// FUSE is the descriptor that the app's files are to be served through, which
// the caller does and then closes; nil in copy mode.
func (d *Dev) FUSE() *os.File { return d.fuse }

// Update replaces the manifest, and in copy mode all files, and ends the grains
// that run the app: their next visitors start them anew.
func (d *Dev) Update(ctx context.Context, pkg io.Reader, size int64) error {
	answer, err := d.ask(ctx, devRequest{Op: devUpdate, Size: size}, pkg, size)
	closeFiles(answer.files)
	return err
}

// Restart ends the grains that run the app: their next visitors start them anew.
func (d *Dev) Restart(ctx context.Context) error {
	answer, err := d.ask(ctx, devRequest{Op: devRestart}, nil, 0)
	closeFiles(answer.files)
	return err
}

// Wait returns when the development is over: nil after Close, else why the
// server ended it.
func (d *Dev) Wait() error {
	<-d.done
	return d.err
}

// devCloseWait bounds how long Close waits for the server.
const devCloseWait = 10 * time.Second

// Close ends the development and returns when grains have gone back to the
// installed package. Until then the app's files are still to be served.
func (d *Dev) Close() error {
	d.closing.Store(true)
	_ = d.line.conn.CloseWrite() // fails if it is over already
	select {
	case <-d.done:
	case <-time.After(devCloseWait):
		d.end(nil)
	}
	return nil
}

// end records why it is over and hangs up.
func (d *Dev) end(err error) {
	d.once.Do(func() {
		d.err = err
		close(d.done)
		d.line.conn.Close()
	})
}

// ask sends a request with its package and waits for the answer.
func (d *Dev) ask(ctx context.Context, request any, pkg io.Reader, size int64) (devAnswer, error) {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return devAnswer{}, context.Cause(ctx)
	case <-d.done:
		return devAnswer{}, d.over()
	}
	sent := make(chan error, 1)
	go func() { sent <- d.send(request, pkg, size) }()
	for {
		select {
		case answer := <-d.answers:
			if answer.Error != nil {
				closeFiles(answer.files)
				return devAnswer{}, answer.Error.error()
			}
			return answer, nil
		case err := <-sent:
			sent = nil
			var source *sourceError
			if errors.As(err, &source) {
				// The server still waits for the rest: there is no way on.
				d.end(source.err)
				return devAnswer{}, source.err
			}
			// Else the server says why it hung up, or that it did.
		case <-d.done:
			return devAnswer{}, d.over()
		case <-ctx.Done():
			d.end(context.Cause(ctx))
			return devAnswer{}, context.Cause(ctx)
		}
	}
}

// sourceError is a failure to read the package that was to be sent.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }

func (d *Dev) send(request any, pkg io.Reader, size int64) error {
	if err := d.line.write(request); err != nil {
		return err
	}
	if size == 0 {
		return nil
	}
	src := &watchedSource{src: io.LimitReader(pkg, size)}
	n, err := io.Copy(d.line.conn, src)
	if src.err != nil {
		return &sourceError{src.err}
	}
	if err == nil && n < size {
		return &sourceError{fmt.Errorf("the package has %d bytes, not %d: %w", n, size, io.ErrUnexpectedEOF)}
	}
	return err
}

// watchedSource keeps apart whether reading or writing failed.
type watchedSource struct {
	src io.Reader
	err error
}

func (s *watchedSource) Read(p []byte) (int, error) {
	n, err := s.src.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// receive hands answers to who asked until the server hangs up.
func (d *Dev) receive() {
	for {
		var answer devAnswer
		err := d.line.read(&answer)
		answer.files = d.line.takeFiles()
		if d.closing.Load() && (err != nil || answer.Ended != nil) {
			closeFiles(answer.files)
			d.end(nil)
			return
		}
		if err != nil {
			closeFiles(answer.files)
			d.end(&Error{
				Kind: sandstorm.Unavailable, Key: "dev.server-gone",
				Message: "The server has ended. Start it again, then `spk dev`.", Detail: err.Error(),
			})
			return
		}
		if answer.Ended != nil {
			closeFiles(answer.files)
			d.end(answer.Ended.error())
			return
		}
		select {
		case d.answers <- answer:
		case <-d.done:
			closeFiles(answer.files)
			return
		}
	}
}

// over is the error of a request after the end.
func (d *Dev) over() error {
	if d.err != nil {
		return d.err
	}
	return &Error{Kind: sandstorm.Unavailable, Key: "dev.closed", Message: "The development of this app has ended."}
}

func devUnreachable(socket string, err error) error {
	out := &Error{Kind: sandstorm.Unavailable, Key: "dev.server-gone", Detail: err.Error()}
	switch {
	case errors.Is(err, os.ErrPermission):
		out.Kind, out.Key = sandstorm.Denied, "dev.denied"
		out.Message = "You may not develop apps on this server: " + socket + " is only for its group. Ask its administrator to add you to the group."
	default:
		out.Message = "No server answers at " + socket + ". Start one (`sandstorm dev`), or say where its data directory is."
	}
	return out
}
