package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

var png = []byte("\x89PNG\r\n\x1a\nrest")

// NewPackage makes up a package of the app with that number.
func NewPackage(app byte, version uint32) *sandstorm.Package {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", app, version))
	full := hex.EncodeToString(sum[:])
	return &sandstorm.Package{
		ID: sandstorm.PackageID(full[:32]), AppID: sandstorm.AppIDFromKey([32]byte{app}), SHA256: full, Size: 4096,
		Manifest: sandstorm.Manifest{
			AppTitle:   sandstorm.LocalizedText{Default: "App", Localizations: map[string]string{"fi": "Sovellus"}},
			AppVersion: version,
			Actions:    []sandstorm.Action{{Title: sandstorm.LocalizedText{Default: "New \x00 note"}, Command: sandstorm.Command{Argv: []string{"/start"}}}},
			Continue:   &sandstorm.Command{Argv: []string{"/go", "--on"}, Environ: []string{"A=b"}},
		},
		Bridge: &sandstorm.BridgeConfig{Permissions: []sandstorm.PermissionDef{{Name: "edit"}}, APIPath: "/api"},
	}
}

// AddPackage records a made-up package.
func AddPackage(t testing.TB, s *store.Store, app byte, version uint32) *sandstorm.Package {
	t.Helper()
	p := NewPackage(app, version)
	ok(t, s.PutPackage(t.Context(), p, nil))
	return p
}

func testPackages(t *testing.T, s *store.Store) {
	ctx := t.Context()
	p := NewPackage(1, 3)
	icon := store.NewAsset(png)
	ok(t, s.PutPackage(ctx, p, []store.Asset{icon}))
	ok(t, s.PutPackage(ctx, p, []store.Asset{icon})) // again
	if diff := cmp.Diff(p, must(s.Package(ctx, p.ID))(t)); diff != "" {
		t.Error(diff)
	}
	newer, other := AddPackage(t, s, 1, 4294967295), AddPackage(t, s, 2, 1)
	versions := must(s.PackagesOfApp(ctx, p.AppID))(t)
	if len(versions) != 2 || versions[0].ID != newer.ID {
		t.Errorf("versions: %v, want the newest first", versions)
	}
	if n := len(must(s.Packages(ctx))(t)); n != 3 {
		t.Errorf("%d packages, want 3", n)
	}
	ok(t, s.DeletePackage(ctx, other.ID))
	wantKind(t, s.DeletePackage(ctx, other.ID), sandstorm.NotFound)
	_, err := s.Package(ctx, other.ID)
	wantKind(t, err, sandstorm.NotFound)
	bare := NewPackage(3, 1)
	bare.Bridge = nil
	ok(t, s.PutPackage(ctx, bare, nil))
	if got := must(s.Package(ctx, bare.ID))(t); got.Bridge != nil {
		t.Errorf("bridge %v out of nothing", got.Bridge)
	}
}

// A package id is half a hash: a second file with the same half must not take
// the place of the first.
func testPackageOtherFile(t *testing.T, s *store.Store) {
	p := AddPackage(t, s, 1, 1)
	forged := *p
	forged.SHA256 = p.SHA256[:32] + strings.Repeat("0", 32)
	forged.Manifest.AppTitle.Default = "Forged"
	wantKind(t, s.PutPackage(t.Context(), &forged, nil), sandstorm.Conflict)
	if got := must(s.Package(t.Context(), p.ID))(t); got.Manifest.AppTitle.Default != "App" {
		t.Error("the forged manifest was stored")
	}
}

func testPackageRetire(t *testing.T, s *store.Store) {
	ctx := t.Context()
	g := addGrain(t, s)
	if !must(s.PackageInUse(ctx, g.Package))(t) {
		t.Error("a grain's package counts as unused")
	}
	wantKind(t, s.RetirePackage(ctx, g.Package), sandstorm.Conflict)
	wantKind(t, s.DeletePackage(ctx, g.Package), sandstorm.Conflict)
	p := must(s.Package(ctx, g.Package))(t)
	ok(t, s.DeleteGrain(ctx, g.ID))
	if must(s.PackageInUse(ctx, g.Package))(t) {
		t.Error("an unused package counts as used")
	}
	ok(t, s.RetirePackage(ctx, g.Package))
	if ids := must(s.RetiredPackages(ctx))(t); len(ids) != 1 || ids[0] != g.Package {
		t.Errorf("retired: %v", ids)
	}
	// While its files go away nobody may start to use it.
	_, err := s.Package(ctx, g.Package)
	wantKind(t, err, sandstorm.NotFound)
	wantKind(t, s.InsertGrain(ctx, g), sandstorm.NotFound)
	wantKind(t, s.AddUserApp(ctx, g.Owner, g.AppID, g.Package), sandstorm.NotFound)
	ok(t, s.PutPackage(ctx, p, nil)) // installed again
	ok(t, s.InsertGrain(ctx, g))
	wantKind(t, s.RetirePackage(ctx, "0123456789abcdef0123456789abcdef"), sandstorm.NotFound)
}

func testAssets(t *testing.T, s *store.Store) {
	ctx := t.Context()
	svg := store.NewAsset([]byte("<svg/>"))
	icon := store.NewAsset(png)
	p, q := NewPackage(1, 1), NewPackage(2, 1)
	ok(t, s.PutPackage(ctx, p, []store.Asset{icon, svg}))
	ok(t, s.PutPackage(ctx, q, []store.Asset{icon}))
	if diff := cmp.Diff(&icon, must(s.Asset(ctx, icon.ID))(t)); diff != "" {
		t.Error(diff)
	}
	ok(t, s.DeletePackage(ctx, p.ID))
	_, err := s.Asset(ctx, svg.ID)
	wantKind(t, err, sandstorm.NotFound)
	must(s.Asset(ctx, icon.ID))(t) // still shown by q

	bad := NewPackage(3, 1)
	wantKind(t, s.PutPackage(ctx, bad, []store.Asset{{ID: icon.ID, Content: []byte("other")}}), sandstorm.Invalid)
	_, err = s.Package(ctx, bad.ID)
	wantKind(t, err, sandstorm.NotFound) // nothing half done
	wantKind(t, s.PutPackage(ctx, bad, []store.Asset{store.NewAsset(make([]byte, 1<<20+1))}), sandstorm.TooLarge)
	// A package cannot make another's picture be served as something else.
	poison := store.NewAsset([]byte("<svg onload='x'/>"))
	poison.MIMEType = "text/html"
	ok(t, s.PutPackage(ctx, bad, []store.Asset{poison}))
	if got := must(s.Asset(ctx, poison.ID))(t); got.MIMEType != "image/svg+xml" {
		t.Errorf("served as %s", got.MIMEType)
	}
}

func testUserApps(t *testing.T, s *store.Store) {
	ctx := t.Context()
	alice, bob := AddAccount(t, s, "alice"), AddAccount(t, s, "bob")
	v1, v2 := AddPackage(t, s, 1, 1), AddPackage(t, s, 1, 2)
	ok(t, s.AddUserApp(ctx, alice, v1.AppID, v1.ID))
	ok(t, s.AddUserApp(ctx, alice, v1.AppID, v2.ID))
	apps := must(s.UserApps(ctx, alice))(t)
	if len(apps) != 1 || apps[0].Package != v2.ID || apps[0].AppID != v1.AppID || apps[0].Added.IsZero() {
		t.Errorf("apps: %+v", apps)
	}
	if n := len(must(s.UserApps(ctx, bob))(t)); n != 0 {
		t.Errorf("bob has %d apps", n)
	}
	wantKind(t, s.RetirePackage(ctx, v2.ID), sandstorm.Conflict)
	ok(t, s.RemoveUserApp(ctx, alice, v1.AppID))
	ok(t, s.RemoveUserApp(ctx, alice, v1.AppID))
	ok(t, s.RetirePackage(ctx, v2.ID))
	wantKind(t, s.AddUserApp(ctx, "nobody", v1.AppID, v1.ID), sandstorm.NotFound)
	wantKind(t, s.AddUserApp(ctx, alice, v1.AppID, "unknown"), sandstorm.NotFound)
}

// PostgreSQL cannot hold these; SQLite could. Both say the same.
func testBadText(t *testing.T, s *store.Store) {
	g := addGrain(t, s)
	for _, title := range []string{"a\x00b", "\xff\xfe"} {
		wantKind(t, s.RenameGrain(t.Context(), g.ID, title), sandstorm.Invalid)
	}
	_, err := s.Grain(t.Context(), "a\x00b")
	wantKind(t, err, sandstorm.Invalid)
}

func testCanceled(t *testing.T, s *store.Store) {
	g := addGrain(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantKind(t, s.RenameGrain(ctx, g.ID, "late"), sandstorm.Unavailable)
	_, err := s.Grain(ctx, g.ID)
	wantKind(t, err, sandstorm.Unavailable)
	ok(t, s.RenameGrain(t.Context(), g.ID, "in time")) // the connection still works
}

func testServerApps(t *testing.T, s *store.Store) {
	ctx := t.Context()
	v1, v2 := AddPackage(t, s, 1, 1), AddPackage(t, s, 1, 2)
	ok(t, s.AddServerApp(ctx, v1.AppID, v1.ID))
	ok(t, s.AddServerApp(ctx, v1.AppID, v2.ID))
	if apps := must(s.ServerApps(ctx))(t); len(apps) != 1 || apps[0].AppID != v1.AppID || apps[0].Package != v2.ID {
		t.Errorf("apps for everybody: %v", apps)
	}
	wantKind(t, s.AddServerApp(ctx, v1.AppID, "unknown"), sandstorm.NotFound)
	if !must(s.PackageInUse(ctx, v2.ID))(t) {
		t.Error("an app for everybody counts as unused")
	}
	soon := time.Now().Add(time.Hour)
	if ids := must(s.UnusedPackages(ctx, soon))(t); len(ids) != 1 || ids[0] != v1.ID {
		t.Errorf("unused: %v", ids)
	}
	if ids := must(s.UnusedPackages(ctx, time.Now().Add(-time.Hour)))(t); len(ids) != 0 {
		t.Errorf("old and unused: %v", ids)
	}
}

// An app under development has a record that is no package: grains can be made
// of it, and keep it, but nothing else can use it.
func testDevPackages(t *testing.T, s *store.Store) {
	ctx := t.Context()
	p := NewPackage(1, 3)
	icon, other := store.NewAsset(png), store.NewAsset([]byte("<svg/>"))
	ok(t, s.PutDevPackage(ctx, p, []store.Asset{icon}))
	p.Manifest.AppVersion, p.Bridge = 4, nil
	ok(t, s.PutDevPackage(ctx, p, []store.Asset{other}))
	got := must(s.DevPackage(ctx, p.AppID))(t)
	if got.ID != sandstorm.DevPackageOf(p.AppID) || got.Manifest.AppVersion != 4 || got.Bridge != nil {
		t.Errorf("record is %+v", got)
	}
	_, err := s.Asset(ctx, icon.ID)
	wantKind(t, err, sandstorm.NotFound) // replaced
	_, err = s.Package(ctx, got.ID)
	wantKind(t, err, sandstorm.NotFound)
	if n := len(must(s.PackagesOfApp(ctx, p.AppID))(t)) + len(must(s.Packages(ctx))(t)); n != 0 {
		t.Errorf("it is among %d packages", n)
	}
	owner := AddAccount(t, s, "alice")
	wantKind(t, s.AddUserApp(ctx, owner, p.AppID, got.ID), sandstorm.NotFound)
	if ids := must(s.UnusedPackages(ctx, time.Now().Add(time.Hour)))(t); len(ids) != 0 {
		t.Errorf("to be removed like a package: %v", ids)
	}
	g := newGrain(owner, got)
	ok(t, s.InsertGrain(ctx, g))
	wantKind(t, s.SetGrainPackage(ctx, g.ID, got.ID), sandstorm.NotFound)
	ok(t, s.DropDevPackages(ctx))
	must(s.DevPackage(ctx, p.AppID))(t) // the grain needs it
	installed := AddPackage(t, s, 1, 5)
	ok(t, s.SetGrainPackage(ctx, g.ID, installed.ID))
	ok(t, s.DropDevPackages(ctx, p.AppID))
	must(s.DevPackage(ctx, p.AppID))(t) // still under development
	ok(t, s.DropDevPackages(ctx))
	_, err = s.DevPackage(ctx, p.AppID)
	wantKind(t, err, sandstorm.NotFound)
	_, err = s.Asset(ctx, other.ID)
	wantKind(t, err, sandstorm.NotFound)
	g.ID = sandstorm.NewGrainID()
	wantKind(t, s.InsertGrain(ctx, g), sandstorm.NotFound)
}
