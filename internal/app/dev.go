package app

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// Dev says of an app that it is under development (packages.md §10): somebody's
// files take the place of every installed package of it, for everybody.
type Dev struct {
	By    string // who develops it, a user of the machine
	Since time.Time
}

// Development is an app under development, for who develops it.
type Development struct {
	s    *Service
	dev  Dev
	app  sandstorm.AppID
	host host.DevPackage
	once sync.Once

	mu     sync.Mutex // one change at a time
	closed bool

	// guarded by the service's developments
	revision int  // of what grains run from; 0 before and after
	ending   bool // it makes way for the next one
	gone     chan struct{}
}

// DevPackage is the package of an app under development, as the host knows it,
// and a name for its present state; nil if nobody develops the app.
func (s *Service) DevPackage(app sandstorm.AppID) (pkg *sandstorm.Package, revision string) {
	d, n := s.devs.get(app)
	if d == nil {
		return nil, ""
	}
	pkg = &d.host.Installed().Package
	return pkg, string(pkg.ID) + "." + strconv.Itoa(n)
}

// Develop puts an app under development, on the word of who can reach the socket
// for that, who is called by. src is a .spk as host.OpenDev takes it. It returns
// once all grains of the app run from it, or will with their next visitor.
func (s *Service) Develop(ctx context.Context, by string, src io.Reader, opts host.DevOptions) (*Development, error) {
	app, err := sandstorm.ParseAppID(string(opts.App))
	if err != nil {
		return nil, err
	}
	opts.App = app
	d := &Development{s: s, app: app, dev: Dev{By: by, Since: s.opts.Now()}, gone: make(chan struct{})}
	if err := s.devs.reserve(ctx, d); err != nil {
		return nil, err
	}
	err = s.patiently(ctx, src, func(ctx context.Context, src io.Reader) (err error) {
		d.host, err = s.opts.Host.OpenDev(ctx, src, opts)
		return err
	})
	if err != nil {
		s.devs.release(d)
		return nil, err
	}
	if err := d.changed(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	s.opts.Log.Info("an app is under development", "app", app, "by", by)
	return d, nil
}

// Package is what the host calls the app.
func (d *Development) Package() sandstorm.PackageID { return d.host.Installed().Package.ID }

// FUSE returns the device to serve the app's files through, once; nil if its
// package has them.
func (d *Development) FUSE() *os.File { return d.host.FUSE() }

// Done is closed when the host has ended it, for the reason that Err returns.
func (d *Development) Done() <-chan struct{} { return d.host.Done() }

// Err waits for Done.
func (d *Development) Err() error { return d.host.Err() }

// Update takes another .spk in the place of the last one.
func (d *Development) Update(ctx context.Context, src io.Reader) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errOver(d.app)
	}
	err := d.s.patiently(ctx, src, func(ctx context.Context, src io.Reader) error {
		_, err := d.host.Update(ctx, src)
		return err
	})
	if err != nil {
		return err
	}
	return d.changed(ctx)
}

// Restart ends the app's grains; their next visitors start them again.
func (d *Development) Restart(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errOver(d.app)
	}
	return d.changed(ctx)
}

// changed makes a new package known, ends the grains that run something else and
// tells everybody's pages.
func (d *Development) changed(ctx context.Context) error {
	in := d.host.Installed()
	var assets []store.Asset
	for _, a := range in.Assets {
		assets = append(assets, store.NewAsset(a.Content))
	}
	// Who hangs up now must not leave it half done.
	ctx = context.WithoutCancel(ctx)
	if err := d.s.opts.Store.PutDevPackage(ctx, &in.Package, assets); err != nil {
		return err
	}
	d.s.devs.bump(d)
	return d.s.tellAll(ctx, d.app)
}

// Close ends the development: grains go back to an installed package.
func (d *Development) Close() (err error) {
	d.once.Do(func() { err = d.close() })
	return err
}

func (d *Development) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	s := d.s
	ctx := context.Background()
	s.devs.end(d)
	err := d.host.Close()
	err = errors.Join(err, s.tellAll(ctx, d.app))
	// Only now may the next one begin.
	s.devs.release(d)
	s.opts.Log.Info("an app is no longer under development", "app", d.app, "by", d.dev.By)
	return errors.Join(err, s.dropDevRecords(ctx))
}

// dropDevRecords forgets what nobody develops and no grain needs.
func (s *Service) dropDevRecords(ctx context.Context) error {
	return s.opts.Store.DropDevPackages(ctx, s.devs.all()...)
}

// tellAll ends the grains that run another package than they would now, and has
// all pages that show the app look again.
func (s *Service) tellAll(ctx context.Context, app sandstorm.AppID) error {
	var errs []error
	if s.opts.AppChanged != nil {
		errs = append(errs, s.opts.AppChanged(ctx, app))
	}
	accounts, err := s.opts.Store.Accounts(ctx)
	for _, a := range accounts {
		s.opts.Notify.Publish(a.ID, "apps")
		s.opts.Notify.Publish(a.ID, "grains")
	}
	return errors.Join(append(errs, err)...)
}

func errOver(app sandstorm.AppID) error {
	return sandstorm.Errorf(sandstorm.Conflict, "dev.over", "app %s is not under development any more", app)
}
