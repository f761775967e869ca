package host

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// devCloseTimeout is how long Close waits until the grains are gone.
const devCloseTimeout = 30 * time.Second

// OpenDev implements Client.
//
// How long the package lasts is told by a socket: the host removes it when our
// end is closed, however that comes about, and closes its own end when it is over
// on its side, after the reason.
func (c *client) OpenDev(ctx context.Context, src io.Reader, opts DevOptions) (DevPackage, error) {
	life, far, err := socketPair()
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Internal, "", "socket for an app under development: %w", err)
	}
	defer far.Close()
	d := &devPackage{client: c, life: life, installed: new(Installed), done: make(chan struct{})}
	up := &upload{op: wire.OpDev, params: opts, src: src, more: []*os.File{far}}
	files, err := up.send(ctx, c, d.installed)
	if err == nil && opts.Mount != (len(files) == 1) {
		wire.CloseAll(files)
		err = down(errors.New("answer came without its device"))
	}
	if err != nil {
		life.Close()
		return nil, err
	}
	if opts.Mount {
		d.fuse = files[0]
	}
	d.id = d.installed.Package.ID
	far.Close() // or the end of the host would not be the end of the socket
	go d.watch()
	return d, nil
}

// devPackage is the DevPackage of the host process on this machine.
type devPackage struct {
	client *client
	id     sandstorm.PackageID
	life   *net.UnixConn
	done   chan struct{}
	err    error // valid once done is closed

	mu        sync.Mutex
	installed *Installed
	fuse      *os.File
}

// Installed implements DevPackage.
func (d *devPackage) Installed() *Installed {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.installed
}

// FUSE implements DevPackage.
func (d *devPackage) FUSE() *os.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.fuse
	d.fuse = nil
	return f
}

// Done implements DevPackage.
func (d *devPackage) Done() <-chan struct{} { return d.done }

// Err implements DevPackage.
func (d *devPackage) Err() error {
	<-d.done
	return d.err
}

// watch waits for the host to end it.
func (d *devPackage) watch() {
	defer close(d.done)
	text, err := io.ReadAll(io.LimitReader(d.life, wire.MaxMessage))
	why := new(wire.Error)
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, why)
	}
	switch {
	case err != nil || len(text) == 0:
		d.err = down(errors.New("it has ended"))
	default:
		d.err = decodeError(why)
	}
}

// Update implements DevPackage.
func (d *devPackage) Update(ctx context.Context, src io.Reader) (*Installed, error) {
	select {
	case <-d.done:
		return nil, d.err
	default:
	}
	up := &upload{op: wire.OpDevUpdate, params: wire.DevUpdateParams{Package: d.id}, src: src}
	out := new(Installed)
	files, err := up.send(ctx, d.client, out)
	wire.CloseAll(files)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.installed = out
	return out, nil
}

// Close implements DevPackage.
func (d *devPackage) Close() error {
	if f := d.FUSE(); f != nil { // nobody took it
		f.Close()
	}
	defer d.life.Close()
	_ = d.life.CloseWrite() // fails only if the host has closed it
	select {
	case <-d.done:
		return nil
	case <-time.After(devCloseTimeout):
		return sandstorm.Errorf(sandstorm.Unavailable, "host.canceled", "grains of %s do not end", d.id)
	}
}
