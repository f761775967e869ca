package control

import (
	"context"
	"errors"
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
