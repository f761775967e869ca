package shelltest

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/shell"
)

// Shelf implements shell.Apps.
type Shelf struct{ *World }

func (s Shelf) newest(id sandstorm.AppID) *sandstorm.Package {
	var found *sandstorm.Package
	for _, p := range s.Packages {
		if p.AppID == id && (found == nil || p.Manifest.AppVersion > found.Manifest.AppVersion) {
			found = p
		}
	}
	return found
}

func (s Shelf) app(who *sandstorm.Account, p *sandstorm.Package) shell.App {
	a := shell.App{ID: p.AppID, Package: *p, Added: s.Added[p.AppID] == p.ID}
	if _, ok := s.Dev[p.AppID]; ok {
		a.Dev = &app.Dev{By: "dora", Since: s.Now()}
	}
	for _, g := range s.Grains {
		if g.AppID == p.AppID && g.Owner == who.ID && g.Trashed == nil {
			a.Grains++
		}
	}
	return a
}

// List implements shell.Apps.
func (s Shelf) List(_ context.Context, who *sandstorm.Account) ([]shell.App, error) {
	s.Lock()
	defer s.Unlock()
	if err := s.fail("apps"); err != nil {
		return nil, err
	}
	var out []shell.App
	for _, id := range s.Added {
		if p := s.Packages[id]; p != nil {
			out = append(out, s.app(who, p))
		}
	}
	slices.SortFunc(out, func(a, b shell.App) int {
		return strings.Compare(a.Package.Manifest.AppTitle.Default, b.Package.Manifest.AppTitle.Default)
	})
	return out, nil
}

// Get implements shell.Apps.
func (s Shelf) Get(_ context.Context, who *sandstorm.Account, id sandstorm.AppID) (*shell.App, error) {
	s.Lock()
	defer s.Unlock()
	p := s.Packages[s.Added[id]]
	if p == nil {
		p = s.newest(id)
	}
	if p == nil {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "app.not-installed", "no app %s", id)
	}
	a := s.app(who, p)
	return &a, nil
}

// Upload implements shell.Apps. The file's text decides: "app NAME" installs an
// app of that name, anything else is no package.
func (s Shelf) Upload(_ context.Context, _ *sandstorm.Account, src io.Reader, _ int64) (*shell.Attempt, error) {
	text, err := io.ReadAll(src)
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.TooLarge, "request.too-large", "upload: %v", err)
	}
	s.Lock()
	defer s.Unlock()
	name, ok := strings.CutPrefix(string(text), "app ")
	if !ok {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "package.bad-magic", "not a package")
	}
	p := NewPackage(strings.TrimSpace(name), 1)
	s.Packages[p.ID] = p
	return &shell.Attempt{ID: s.token("attempt")[:16], State: app.StateReady, Package: p.ID}, nil
}

// Download implements shell.Apps. It never ends by itself: tests move it on.
func (s Shelf) Download(_ context.Context, _ *sandstorm.Account, url string, want sandstorm.PackageID) (*shell.Attempt, error) {
	s.Lock()
	defer s.Unlock()
	if err := s.fail("download"); err != nil {
		return nil, err
	}
	a := &shell.Attempt{ID: s.token("attempt")[:16], State: app.StateDownloading, Received: 31_400_000, Total: 84_000_000, Package: want}
	s.Attempts[a.ID] = a
	return a, nil
}

// Attempt implements shell.Apps.
func (s Shelf) Attempt(_ context.Context, _ *sandstorm.Account, id string) (*shell.Attempt, error) {
	s.Lock()
	defer s.Unlock()
	a := s.Attempts[id]
	if a == nil {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "app.no-such-attempt", "no attempt %s", id)
	}
	out := *a
	return &out, nil
}

// Cancel implements shell.Apps.
func (s Shelf) Cancel(_ context.Context, _ *sandstorm.Account, id string) error {
	s.Lock()
	defer s.Unlock()
	s.Attempts[id].State = app.StateCanceled
	s.publish("attempt:" + id)
	return nil
}

// Confirm implements shell.Apps.
func (s Shelf) Confirm(_ context.Context, who *sandstorm.Account, id sandstorm.PackageID) (*shell.App, error) {
	s.Lock()
	defer s.Unlock()
	p := s.Packages[id]
	if p == nil {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "package.not-found", "no package %s", id)
	}
	if !who.Role.MayCreate() {
		return nil, sandstorm.Errorf(sandstorm.Denied, "app.visitors-cannot-install", "visitor")
	}
	s.Added[p.AppID] = p.ID
	a := s.app(who, p)
	s.publish("apps")
	return &a, nil
}

// Package implements shell.Apps.
func (s Shelf) Package(_ context.Context, _ *sandstorm.Account, id sandstorm.PackageID) (*sandstorm.Package, error) {
	s.Lock()
	defer s.Unlock()
	if p := s.Packages[id]; p != nil {
		return p, nil
	}
	return nil, sandstorm.Errorf(sandstorm.NotFound, "package.not-found", "no package %s", id)
}

// Uninstall implements shell.Apps.
func (s Shelf) Uninstall(_ context.Context, _ *sandstorm.Account, id sandstorm.AppID) error {
	s.Lock()
	defer s.Unlock()
	delete(s.Added, id)
	s.publish("apps")
	return nil
}

// Asset implements shell.Apps.
func (s Shelf) Asset(_ context.Context, id sandstorm.AssetID) (string, []byte, error) {
	s.Lock()
	defer s.Unlock()
	a, ok := s.Assets[id]
	if !ok {
		return "", nil, sandstorm.Errorf(sandstorm.NotFound, "asset.not-found", "no asset %s", id)
	}
	return a.MIMEType, a.Content, nil
}
