package hosttest

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// OpenDev implements host.Client. Where Mount is asked for, the device is the
// null device.
func (h *Host) OpenDev(ctx context.Context, src io.Reader, opts host.DevOptions) (host.DevPackage, error) {
	h.mu.Lock()
	err := h.devErr
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	d := &devPackage{host: h, id: sandstorm.NewDevPackageID(), opts: opts, done: make(chan struct{})}
	if _, err := d.Update(ctx, src); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.devs = append(h.devs, d)
	return d, nil
}

// RefuseDev makes OpenDev fail with err until called with nil.
func (h *Host) RefuseDev(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.devErr = err
}

// FailDevs ends what is under development with err, as if its files were not
// served any more.
func (h *Host) FailDevs(err error) {
	h.mu.Lock()
	devs := h.devs
	h.devs = nil
	h.mu.Unlock()
	for _, d := range devs {
		d.end(err)
	}
}

// devPackage is an app under development.
type devPackage struct {
	host *Host
	id   sandstorm.PackageID
	opts host.DevOptions
	once sync.Once
	done chan struct{}
	err  error

	mu        sync.Mutex
	installed *host.Installed
}

func (d *devPackage) Installed() *host.Installed {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.installed
}

func (d *devPackage) FUSE() *os.File {
	if !d.opts.Mount {
		return nil
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		panic(err)
	}
	return f
}

func (d *devPackage) Update(ctx context.Context, src io.Reader) (*host.Installed, error) {
	in, err := d.host.InstallPackage(ctx, src, host.InstallOptions{})
	if err != nil {
		return nil, err
	}
	in.Package.ID, in.Package.AppID, in.Package.SHA256 = d.id, d.opts.App, ""
	d.mu.Lock()
	d.installed = in
	d.mu.Unlock()
	d.stopGrains()
	return in, nil
}

func (d *devPackage) stopGrains() {
	running, _ := d.host.Grains(context.Background())
	for _, g := range running {
		if g.Package == d.id {
			d.host.end(g.Grain, host.Exit{Stopped: true})
		}
	}
}

func (d *devPackage) Done() <-chan struct{} { return d.done }

func (d *devPackage) Err() error {
	<-d.done
	return d.err
}

func (d *devPackage) Close() error {
	d.end(nil)
	return nil
}

func (d *devPackage) end(err error) {
	d.once.Do(func() {
		d.err = err
		d.stopGrains()
		close(d.done)
	})
}
