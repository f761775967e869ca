package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/notify"
)

// develops puts "Notes" of that version under development.
func (f *fixture) develops(version uint32) (*app.Development, error) {
	f.t.Helper()
	spk, _ := f.host.Add(sandstorm.AppIDFromKey([32]byte{99}), "Notes in progress", version)
	return f.s.Develop(f.t.Context(), "dora", strings.NewReader(spk), host.DevOptions{App: notesID})
}

// An app under development is on everybody's list, whether installed or not, and
// in the place of what is installed.
func TestDevelopmentOverrides(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	spk, installed := f.host.Add(notesID, "Notes", 1)
	if _, err := f.s.Upload(ctx, f.alice, strings.NewReader(spk), -1); err != nil {
		t.Fatal(err)
	}
	if _, err := f.s.Confirm(ctx, f.alice, installed.ID); err != nil {
		t.Fatal(err)
	}
	d, err := f.develops(7)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []*sandstorm.Account{f.alice, f.bob} {
		list, err := f.s.List(ctx, who)
		if err != nil || titles(list) != "Notes in progress" {
			t.Fatalf("list %s, %v", titles(list), err)
		}
		a := list[0]
		if a.Dev == nil || a.Dev.By != "dora" || a.Package.AppID != notesID || !a.Package.ID.IsDev() || a.Added != (who == f.alice) {
			t.Errorf("%+v", a)
		}
		got, err := f.s.Get(ctx, who, notesID)
		if err != nil || got.Package.ID != d.Package() || got.Added != a.Added || got.Dev == nil {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	// It is no package that can be named, confirmed or removed.
	_, err = f.s.Package(ctx, f.alice, d.Package())
	wantKind(t, "package", err, sandstorm.NotFound)
	for _, id := range []sandstorm.PackageID{d.Package(), sandstorm.DevPackageOf(notesID)} {
		_, err = f.s.Confirm(ctx, f.alice, id)
		wantKind(t, "confirm", err, sandstorm.NotFound)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if list, _ := f.s.List(ctx, f.alice); titles(list) != "Notes" || list[0].Dev != nil {
		t.Errorf("alice's list afterwards: %+v", list)
	}
	if list, _ := f.s.List(ctx, f.bob); len(list) != 0 {
		t.Errorf("bob's list afterwards: %s", titles(list))
	}
	if pkg, revision := f.s.DevPackage(notesID); pkg != nil || revision != "" {
		t.Errorf("afterwards there is %v %q", pkg, revision)
	}
	if _, err := f.store.DevPackage(ctx, notesID); !sandstorm.IsKind(err, sandstorm.NotFound) {
		t.Errorf("its record stays: %v", err)
	}
	wantKind(t, "update", d.Update(ctx, strings.NewReader("x")), sandstorm.Conflict)
	wantKind(t, "restart", d.Restart(ctx), sandstorm.Conflict)
}

// One develops an app at a time, and the next one is told who it is.
func TestOneDeveloper(t *testing.T) {
	f := newFixture(t)
	d, err := f.develops(1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.develops(2)
	wantKind(t, "second", err, sandstorm.Conflict)
	var e *sandstorm.Error
	if !errors.As(err, &e) || e.Key != "dev.taken" || e.Args["who"] != "dora" || e.Args["since"] == "" {
		t.Errorf("%#v", e)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	// A failed attempt leaves the app free.
	_, err = f.s.Develop(t.Context(), "dora", strings.NewReader("rubbish"), host.DevOptions{App: notesID})
	wantKind(t, "rubbish", err, sandstorm.Invalid)
	_, err = f.s.Develop(t.Context(), "dora", strings.NewReader("x"), host.DevOptions{App: "../etc"})
	wantKind(t, "bad id", err, sandstorm.Invalid)
	f.host.RefuseDev(sandstorm.Errorf(sandstorm.Unavailable, "dev.no-fuse", "no"))
	_, err = f.develops(3)
	wantKind(t, "no FUSE", err, sandstorm.Unavailable)
	f.host.RefuseDev(nil)
	d, err = f.develops(4)
	if err != nil {
		t.Fatal(err)
	}
	f.host.FailDevs(sandstorm.Errorf(sandstorm.Unavailable, "dev.stalled", "no answer"))
	wantKind(t, "end", d.Err(), sandstorm.Unavailable)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// Each change has another revision, ends what is outdated and tells all pages.
func TestDevelopmentTells(t *testing.T) {
	f := newFixture(t)
	var told []string
	f.opts.AppChanged = func(_ context.Context, id sandstorm.AppID) error {
		_, revision := f.s.DevPackage(id)
		told = append(told, revision)
		return nil
	}
	f.opts.Notify = &notify.Hub{}
	f.s = app.New(f.opts)
	pages := f.opts.Notify.Subscribe(t.Context(), f.bob.ID)
	d, err := f.develops(1)
	if err != nil {
		t.Fatal(err)
	}
	if name := <-pages; name != "apps" {
		t.Errorf("pages hear %q", name)
	}
	spk, _ := f.host.Add(sandstorm.AppIDFromKey([32]byte{99}), "Renamed", 2)
	if err := errors.Join(d.Update(t.Context(), strings.NewReader(spk)), d.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	if pkg, _ := f.s.DevPackage(notesID); pkg.Manifest.AppTitle.Default != "Renamed" || pkg.ID != d.Package() {
		t.Errorf("package is %+v", pkg)
	}
	wantKind(t, "bad update", d.Update(t.Context(), strings.NewReader("rubbish")), sandstorm.Invalid)
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	id := string(d.Package())
	if got, want := strings.Join(told, " "), id+".1 "+id+".2 "+id+".3 "; got != want {
		t.Errorf("revisions %q, want %q", got, want)
	}
}

// Tidy leaves the record of what is under development alone, and that of grains.
func TestTidyKeepsDevelopment(t *testing.T) {
	f := newFixture(t)
	d, err := f.develops(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.DevPackage(t.Context(), notesID); err != nil {
		t.Error(err)
	}
	g := sandstorm.Grain{ID: sandstorm.NewGrainID(), Title: "x", Package: sandstorm.DevPackageOf(notesID), AppID: notesID, Owner: f.alice.ID, IdentityID: strings.Repeat("a", 64)}
	if err := errors.Join(f.store.InsertGrain(t.Context(), &g), d.Close(), f.s.Tidy(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.DevPackage(t.Context(), notesID); err != nil {
		t.Errorf("a grain lost what it was made of: %v", err)
	}
}
