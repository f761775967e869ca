package grain

import (
	"context"
	"errors"

	"github.com/sandstorm-go/sandstorm"
)

// choice is the package that a grain runs from now.
type choice struct {
	pkg      *sandstorm.Package
	revision string // names the state of an app under development, else ""
}

// choose decides which package the grain runs from: the one under development,
// which overrides all others of the app, else its own. A grain that an app under
// development made, which has none of its own, gets the newest that is installed
// here and whose author says that it understands the grain's data.
func (m *Manager) choose(ctx context.Context, g *sandstorm.Grain) (choice, error) {
	if m.opts.Dev != nil {
		if pkg, revision := m.opts.Dev(g.AppID); pkg != nil {
			return choice{pkg, revision}, nil
		}
	}
	if !g.Package.IsDev() {
		pkg, err := m.opts.Store.Package(ctx, g.Package)
		if err != nil {
			return choice{}, missingPackage(err, g.Package)
		}
		return choice{pkg: pkg}, nil
	}
	installed, err := m.opts.Store.PackagesOfApp(ctx, g.AppID)
	if err != nil {
		return choice{}, err
	}
	for _, pkg := range installed { // newest first
		if g.AppVersion >= pkg.Manifest.MinUpgradableAppVersion {
			return choice{pkg: pkg}, nil
		}
	}
	return choice{}, sandstorm.Errorf(sandstorm.Unavailable, "grain.dev-ended", "grain %s was made by app %s under development, and no package of it is installed", g.ID, g.AppID)
}

// revision names the present state of an app under development; it is empty for
// all others.
func (m *Manager) revision(app sandstorm.AppID) (name string) {
	if m.opts.Dev != nil {
		_, name = m.opts.Dev(app)
	}
	return name
}

// shown is the package whose title and icons a list shows for the grain, nil if
// there is none any more.
func (m *Manager) shown(ctx context.Context, g *sandstorm.Grain) *sandstorm.Package {
	if c, err := m.choose(ctx, g); err == nil {
		return c.pkg
	}
	// What made the grain is remembered for as long as it is there.
	if pkg, err := m.opts.Store.DevPackage(ctx, g.AppID); err == nil && g.Package.IsDev() {
		return pkg
	}
	return nil
}

// settle gives a grain that an app under development made the installed package
// that it is about to run from, for good.
func (m *Manager) settle(ctx context.Context, g *sandstorm.Grain, c choice) error {
	if !g.Package.IsDev() || c.pkg.ID.IsDev() {
		return nil
	}
	if err := m.opts.Store.SetGrainPackage(ctx, g.ID, c.pkg.ID); err != nil {
		return err
	}
	g.Package = c.pkg.ID
	return nil
}

// CreateDev is Create for an app under development.
func (m *Manager) CreateDev(ctx context.Context, who *sandstorm.Account, app sandstorm.AppID, action int, title string) (*sandstorm.Grain, error) {
	var pkg *sandstorm.Package
	if m.opts.Dev != nil {
		pkg, _ = m.opts.Dev(app)
	}
	if pkg == nil {
		return nil, sandstorm.Errorf(sandstorm.Conflict, "dev.over", "app %s is not under development", app)
	}
	return m.create(ctx, who, pkg, sandstorm.DevPackageOf(app), action, title)
}

// AppChanged ends the grains of an app that run from another package than they
// would now, forgets that they crashed, and has their pages look again.
func (m *Manager) AppChanged(ctx context.Context, app sandstorm.AppID) error {
	var errs []error
	for _, id := range m.known() {
		g, err := m.opts.Store.Grain(ctx, id)
		if sandstorm.IsKind(err, sandstorm.NotFound) || err == nil && g.AppID != app {
			continue
		}
		if err == nil {
			err = m.stopOutdated(ctx, g)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// known are the grains that run, ran, or have an open page.
func (m *Manager) known() []sandstorm.GrainID {
	ids := m.sessions.lastUseByGrain()
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]sandstorm.GrainID, 0, len(m.runs)+len(ids))
	for id := range m.runs {
		out = append(out, id)
		delete(ids, id)
	}
	for id := range ids {
		out = append(out, id)
	}
	return out
}

func (m *Manager) stopOutdated(ctx context.Context, g *sandstorm.Grain) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	r := m.run(g.ID)
	r.start.Lock() // a start that is under way may have chosen before
	defer r.start.Unlock()
	now, _ := m.choose(ctx, g) // nothing at all if it cannot run
	if l := m.peek(g.ID); l != nil && (now.pkg == nil || l.ran.pkg.ID != now.pkg.ID || l.ran.revision != now.revision) {
		if err := m.stopLocked(ctx, g.ID); err != nil {
			return err
		}
	}
	r.forgive()
	m.changed(g.ID)
	return nil
}
