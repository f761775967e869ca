package grain_test

import (
	"errors"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/grain"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// develop puts a package of the app of the fixture, or of another one, under
// development, as package app does.
func (f *fixture) develop(app sandstorm.AppID, version uint32, revision string) {
	f.t.Helper()
	pkg := f.pkg
	pkg.ID, pkg.AppID, pkg.SHA256 = "dev-abcdef", app, ""
	pkg.Manifest.AppVersion = version
	pkg.Manifest.Actions = append(pkg.Manifest.Actions, sandstorm.Action{Index: 1, NounPhrase: sandstorm.LocalizedText{Default: "draft"}})
	pkg.Bridge = &sandstorm.BridgeConfig{Permissions: []sandstorm.PermissionDef{{Name: "draft"}}}
	if err := f.store.PutDevPackage(f.t.Context(), &pkg, nil); err != nil {
		f.t.Fatal(err)
	}
	f.set(&pkg, revision)
	f.appChanged(app)
}

func (f *fixture) set(pkg *sandstorm.Package, revision string) {
	f.devMu.Lock()
	defer f.devMu.Unlock()
	f.dev, f.revision = pkg, revision
}

func (f *fixture) appChanged(app sandstorm.AppID) {
	f.t.Helper()
	if err := f.m.AppChanged(f.t.Context(), app); err != nil {
		f.t.Fatal(err)
	}
}

// ran is what the last start ran.
func (f *fixture) ran() host.StartRequest { return f.host.Starts[len(f.host.Starts)-1] }

// A development overrides the package of running grains, at its begin, at each
// change, and at its end; those of other apps go on.
func TestDevelopmentRestartsGrains(t *testing.T) {
	f := newFixture(t)
	_, other := f.host.Add(sandstorm.AppIDFromKey([32]byte{2}), "Other", 1)
	if err := f.store.PutPackage(t.Context(), &other, nil); err != nil {
		t.Fatal(err)
	}
	g := f.create("One")
	stranger, err := f.m.Create(t.Context(), f.alice, other.ID, 0, "Two")
	if err != nil {
		t.Fatal(err)
	}
	h, sh := f.open(g.ID), f.open(stranger.ID)
	for _, host := range []sandstorm.HostID{h, sh} {
		if _, err := f.visit(host); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		revision string
		want     sandstorm.PackageID
		action   int
	}{
		{"dev-abcdef.1", "dev-abcdef", host.ActionContinue},
		{"dev-abcdef.2", "dev-abcdef", host.ActionContinue},
		{"", f.pkg.ID, host.ActionContinue},
	} {
		starts := f.host.StartCount()
		if step.revision != "" {
			f.develop(f.pkg.AppID, 9, step.revision)
		} else {
			f.set(nil, "")
			f.appChanged(f.pkg.AppID)
		}
		health, err := f.m.KeepAlive(t.Context(), f.alice, h)
		if err != nil || health.Running || health.Revision != step.revision {
			t.Errorf("%q: health %+v, %v", step.revision, health, err)
		}
		v, err := f.visit(h)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.ran(); f.host.StartCount() != starts+1 || got.Package != step.want || got.Action != step.action {
			t.Errorf("%q: %d starts, the last %+v", step.revision, f.host.StartCount()-starts, got)
		}
		if names := v.Session.Permissions; (len(names) == 1 && names[0] == "draft") != (step.revision != "") {
			t.Errorf("%q: permissions %v", step.revision, names)
		}
		row, err := f.m.Get(t.Context(), f.alice, g.ID)
		if err != nil || row.Revision != step.revision {
			t.Errorf("%q: row %+v, %v", step.revision, row, err)
		}
		f.appChanged(f.pkg.AppID) // nothing has
		if health, _ := f.m.KeepAlive(t.Context(), f.alice, h); !health.Running {
			t.Errorf("%q: a grain that runs the right package was stopped", step.revision)
		}
	}
	if health, _ := f.m.KeepAlive(t.Context(), f.alice, sh); !health.Running || health.Revision != "" {
		t.Errorf("a grain of another app: %+v", health)
	}
}

// A grain that an app under development made outlives it: it goes on from the
// newest package that is installed and takes it, or says that there is none.
func TestGrainSurvivesDevelopment(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	app := sandstorm.AppIDFromKey([32]byte{7})
	_, err := f.m.CreateDev(ctx, f.alice, app, 0, "")
	wantKind(t, "before", err, sandstorm.Conflict)
	f.develop(app, 5, "dev-abcdef.1")
	_, err = f.m.CreateDev(ctx, f.alice, app, 2, "")
	wantKind(t, "no such action", err, sandstorm.NotFound)
	visitor := *f.bob
	visitor.Role = sandstorm.RoleVisitor
	_, err = f.m.CreateDev(ctx, &visitor, app, 1, "")
	wantKind(t, "visitor", err, sandstorm.Denied)
	g, err := f.m.CreateDev(ctx, f.alice, app, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	if g.Title != "Untitled Notes draft" || g.Package != sandstorm.DevPackageOf(app) || g.AppVersion != 5 {
		t.Errorf("grain is %+v", g)
	}
	h := f.open(g.ID)
	if _, err := f.visit(h); err != nil {
		t.Fatal(err)
	}
	if got := f.ran(); got.Package != "dev-abcdef" || got.Action != 1 {
		t.Errorf("ran %+v", got)
	}

	f.set(nil, "")
	f.appChanged(app)
	_, err = f.visit(h)
	wantEnded(t, "visit", err)
	_, err = f.m.Open(ctx, f.alice, g.ID)
	wantEnded(t, "open", err)
	rows, err := f.m.List(ctx, f.alice, grain.Query{})
	if err != nil || len(rows) != 1 || rows[0].AppTitle.Default != "Notes" || rows[0].Revision != "" {
		t.Errorf("the list shows %+v, %v", rows, err)
	}

	// One package needs newer data than the grain has, the other is older.
	for _, version := range []uint32{4, 6} {
		_, pkg := f.host.Add(app, "Released", version)
		if version == 6 {
			pkg.Manifest.MinUpgradableAppVersion = 6
		}
		if err := f.store.PutPackage(ctx, &pkg, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.visit(h); err != nil {
		t.Fatal(err)
	}
	now, err := f.store.Grain(ctx, g.ID)
	if err != nil || now.Package != f.ran().Package || now.AppVersion != 4 || f.ran().Action != host.ActionContinue {
		t.Errorf("the grain is %+v, %v after the start %+v", now, err, f.ran())
	}
}

func wantEnded(t *testing.T, what string, err error) {
	t.Helper()
	var e *sandstorm.Error
	if !errors.As(err, &e) || e.Kind != sandstorm.Unavailable || e.Key != "grain.dev-ended" {
		t.Errorf("%s: %v", what, err)
	}
}

// A grain made from an installed package while its app is under development has
// both: it runs the one and keeps the other.
func TestCreateWhileDeveloped(t *testing.T) {
	f := newFixture(t)
	f.develop(f.pkg.AppID, 9, "dev-abcdef.1")
	g, err := f.m.Create(t.Context(), f.alice, f.pkg.ID, 1, "")
	if err != nil || g.Package != f.pkg.ID {
		t.Fatalf("%+v, %v", g, err)
	}
	if _, err := f.visit(f.open(g.ID)); err != nil {
		t.Fatal(err)
	}
	if got := f.ran(); got.Package != "dev-abcdef" || got.Action != 1 {
		t.Errorf("ran %+v", got)
	}
}

// A server that died while an app was under development leaves grains that run
// it: the next one stops them.
func TestDevelopmentIsNotAdopted(t *testing.T) {
	f := newFixture(t)
	f.develop(f.pkg.AppID, 9, "dev-abcdef.1")
	h := f.open(f.create("One").ID)
	if _, err := f.visit(h); err != nil {
		t.Fatal(err)
	}
	f.set(nil, "")
	f.m = f.manager()
	if err := f.m.Adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	if running, _ := f.host.Grains(t.Context()); len(running) != 0 {
		t.Errorf("%+v runs on", running)
	}
	if _, err := f.visit(h); err != nil {
		t.Fatal(err)
	}
	if got := f.ran(); got.Package != f.pkg.ID {
		t.Errorf("ran %+v", got)
	}
}
