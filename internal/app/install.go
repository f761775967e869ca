package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

const (
	// maxDownload bounds the .spk itself: it is compressed, and its content may
	// be 1 GiB (packages.md §2).
	maxDownload = 1 << 30
	// downloadTimeout is for a whole download, verification included.
	downloadTimeout = time.Hour
)

// Upload verifies and unpacks a .spk that the account sends and returns when
// done; the attempt shows the progress meanwhile. size is -1 if unknown.
func (s *Service) Upload(ctx context.Context, who *sandstorm.Account, src io.Reader, size int64) (*Attempt, error) {
	if err := mayInstall(who); err != nil {
		return nil, err
	}
	ctx, run, err := s.attempts.begin(ctx, who.ID, size)
	if err != nil {
		return nil, err
	}
	s.install(ctx, run, src, "")
	a := run.snapshot()
	return &a, a.Err
}

// Download fetches a .spk in the background. want, if set, is the package that
// the address is said to hold.
func (s *Service) Download(ctx context.Context, who *sandstorm.Account, address string, want sandstorm.PackageID) (*Attempt, error) {
	if err := mayInstall(who); err != nil {
		return nil, err
	}
	if err := checkAddress(address); err != nil {
		return nil, err
	}
	ctx, run, err := s.attempts.begin(context.WithoutCancel(ctx), who.ID, -1)
	if err != nil {
		return nil, err
	}
	go func() {
		ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
		defer cancel()
		s.download(ctx, run, address, want)
	}()
	a := run.snapshot()
	return &a, nil
}

// InstallFile installs for the whole server, as a command of the administrator:
// the package goes on everybody's list, and on that of accounts to come.
func (s *Service) InstallFile(ctx context.Context, src io.Reader) (*sandstorm.Package, error) {
	pkg, err := s.receive(ctx, src, host.InstallOptions{})
	if err != nil {
		return nil, err
	}
	return pkg, s.forEverybody(ctx, pkg)
}

// InstallURL is InstallFile for an address.
func (s *Service) InstallURL(ctx context.Context, address string) (*sandstorm.Package, error) {
	if err := checkAddress(address); err != nil {
		return nil, err
	}
	body, _, err := s.fetch(ctx, address)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return s.InstallFile(ctx, body)
}

func (s *Service) forEverybody(ctx context.Context, pkg *sandstorm.Package) error {
	if err := s.opts.Store.AddServerApp(ctx, pkg.AppID, pkg.ID); err != nil {
		return err
	}
	accounts, err := s.opts.Store.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		if err := s.opts.Store.AddUserApp(ctx, a.ID, pkg.AppID, pkg.ID); err != nil {
			return err
		}
		s.opts.Notify.Publish(a.ID, "apps")
	}
	return nil
}

// Welcome gives a new account the apps that the administrator chose for all.
func (s *Service) Welcome(ctx context.Context, who sandstorm.AccountID) error {
	chosen, err := s.opts.Store.ServerApps(ctx)
	if err != nil {
		return err
	}
	for _, c := range chosen {
		if err := s.opts.Store.AddUserApp(ctx, who, c.AppID, c.Package); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) download(ctx context.Context, run *running, address string, want sandstorm.PackageID) {
	run.set(func(a *Attempt) { a.State = StateDownloading })
	body, total, err := s.fetch(ctx, address)
	if err != nil {
		s.finish(ctx, run, nil, err)
		return
	}
	defer body.Close()
	run.set(func(a *Attempt) { a.Total = total })
	s.install(ctx, run, body, want)
}

// install runs an attempt to its end.
func (s *Service) install(ctx context.Context, run *running, src io.Reader, want sandstorm.PackageID) {
	pkg, err := s.receive(ctx, &counted{s: s, run: run, src: src}, host.InstallOptions{Want: want})
	s.finish(ctx, run, pkg, err)
}

func (s *Service) finish(ctx context.Context, run *running, pkg *sandstorm.Package, err error) {
	run.set(func(a *Attempt) {
		switch {
		case err == nil:
			a.State, a.Package = StateReady, pkg.ID
		case errors.Is(context.Cause(ctx), errCanceled):
			a.State = StateCanceled
		default:
			a.State, a.Err = StateFailed, err
		}
	})
	run.cancel(nil)
	if err != nil {
		s.opts.Log.Info("a package was not installed", "user", run.owner, "err", err)
	}
	s.opts.Notify.Publish(run.owner, "attempt:"+run.id)
}

// receive puts a package on the host and into the store.
func (s *Service) receive(ctx context.Context, src io.Reader, opts host.InstallOptions) (*sandstorm.Package, error) {
	var installed *host.Installed
	err := s.patiently(ctx, src, func(ctx context.Context, src io.Reader) (err error) {
		installed, err = s.opts.Host.InstallPackage(ctx, src, opts)
		return err
	})
	if err != nil {
		return nil, err
	}
	// From here on the package is there; a caller who leaves must not keep it
	// out of the store.
	assets := make([]store.Asset, 0, len(installed.Assets))
	for _, a := range installed.Assets {
		assets = append(assets, store.NewAsset(a.Content))
	}
	ctx = context.WithoutCancel(ctx)
	s.removal.Lock()
	defer s.removal.Unlock()
	// The host may have known it, and Tidy may have removed it since.
	if _, err := s.opts.Host.Package(ctx, installed.Package.ID); err != nil {
		return nil, err
	}
	if err := s.opts.Store.PutPackage(ctx, &installed.Package, assets); err != nil {
		return nil, err
	}
	return &installed.Package, nil
}

// patiently has a package read that must not be too large or come too slowly.
func (s *Service) patiently(ctx context.Context, src io.Reader, read func(context.Context, io.Reader) error) error {
	watched, src, done := withPatience(ctx, src)
	defer done()
	err := read(watched, &limited{src: src, left: maxDownload})
	if err != nil && errors.Is(context.Cause(watched), errSlow) {
		return errSlow
	}
	return err
}

// fetch opens a .spk on the web. total is -1 if the server does not say it.
func (s *Service) fetch(ctx context.Context, address string) (body io.ReadCloser, total int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, sandstorm.Errorf(sandstorm.Invalid, "app.bad-url", "%w", err)
	}
	resp, err := s.opts.Fetch.Do(req)
	if err != nil {
		var known *sandstorm.Error
		if errors.As(err, &known) {
			return nil, 0, known
		}
		return nil, 0, sandstorm.Errorf(sandstorm.Unavailable, "app.download-failed", "%w", err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		e := sandstorm.Errorf(sandstorm.Unavailable, "app.download-status", "the server answered %s", resp.Status)
		return nil, 0, e.With("status", fmt.Sprint(resp.StatusCode))
	}
	if resp.ContentLength > maxDownload {
		resp.Body.Close()
		return nil, 0, errTooLarge()
	}
	return resp.Body, resp.ContentLength, nil
}

func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || len(address) > 2048 {
		return sandstorm.Errorf(sandstorm.Invalid, "app.bad-url", "unusable address of a package")
	}
	return nil
}

func errTooLarge() error {
	return sandstorm.Errorf(sandstorm.TooLarge, "package.too-large", "the .spk is larger than %d bytes", int64(maxDownload))
}

// limited fails when more than left bytes come, instead of ending the stream.
type limited struct {
	src  io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.src.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooLarge()
	}
	return n, err
}
