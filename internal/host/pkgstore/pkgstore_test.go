package pkgstore_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/pkgstore"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

var ctx = context.Background()

// makeSPK packs an app with a bridge, an icon and the given extra content.
func makeSPK(t testing.TB, content string, change func(*sandstorm.Manifest)) ([]byte, *spk.Info) {
	t.Helper()
	icon := spk.NewPicture("image/svg+xml", []byte("<svg/>"))
	m := &sandstorm.Manifest{
		AppTitle: sandstorm.LocalizedText{Default: "Notes"},
		Continue: &sandstorm.Command{Argv: []string{"/run"}},
		Metadata: sandstorm.Metadata{Icons: sandstorm.Icons{AppGrid: &sandstorm.Icon{MIMEType: "image/svg+xml", Asset: icon.ID}}},
	}
	if change != nil {
		change(m)
	}
	manifest, err := spk.BuildManifest(m, []spk.Picture{icon})
	if err != nil {
		t.Fatal(err)
	}
	config, err := spk.BuildBridgeConfig(&sandstorm.BridgeConfig{APIPath: "/api/"})
	if err != nil {
		t.Fatal(err)
	}
	root := spk.NewDirectory("")
	root.Put(spk.NewFile(spk.ManifestName, manifest, false))
	root.Put(spk.NewFile(spk.BridgeConfigName, config, false))
	root.Put(spk.NewFile("run", []byte(content), true))
	root.Put(spk.NewSymlink("etc", "/var/etc"))
	if err := root.AddMountPoints(); err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	info, err := spk.Write(ctx, &buf, ed25519.NewKeyFromSeed(make([]byte, 32)), root, spk.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), info
}

func openStore(t testing.TB, dir string) *pkgstore.Store {
	t.Helper()
	s, err := pkgstore.Open(pkgstore.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantFiles checks what lies in apps/ and that nothing is left in tmp/.
func wantFiles(t testing.TB, dir string, want ...string) {
	t.Helper()
	if got := names(t, filepath.Join(dir, "apps")); got != strings.Join(want, " ") {
		t.Errorf("apps/ has %q, want %q", got, want)
	}
	if got := names(t, filepath.Join(dir, "tmp")); got != "" {
		t.Errorf("tmp/ has %q", got)
	}
}

func names(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func wantKey(t testing.TB, err error, kind sandstorm.Kind, key string) {
	t.Helper()
	var e *sandstorm.Error
	if !errors.As(err, &e) || e.Key != key || e.Kind != kind {
		t.Errorf("error %v, want %s %s", err, kind, key)
	}
}

func TestInstall(t *testing.T) {
	old := unix.Umask(0o077) // modes must not depend on it
	defer unix.Umask(old)
	dir := t.TempDir()
	s := openStore(t, dir)
	file, info := makeSPK(t, "#!/bin/sh\n", nil)
	id := string(info.PackageID)

	var progress int64
	got, err := s.Install(ctx, bytes.NewReader(file), host.InstallOptions{Want: info.PackageID, Progress: func(n int64) { progress = n }})
	if err != nil {
		t.Fatal(err)
	}
	p := got.Package
	if p.ID != info.PackageID || p.AppID != info.AppID || p.SHA256 != info.SHA256 || p.Size != info.Unpacked || p.Manifest.AppTitle.Default != "Notes" || p.Bridge == nil || p.Bridge.APIPath != "/api/" {
		t.Errorf("installed %+v", p)
	}
	if len(got.Assets) != 1 || got.Assets[0].ID != p.Manifest.Metadata.Icons.Grain.Asset {
		t.Errorf("assets %+v", got.Assets)
	}
	if progress != int64(len(file)) {
		t.Errorf("progress ended at %d of %d", progress, len(file))
	}
	wantFiles(t, dir, id, id+".appid", id+".json")
	if b, err := os.ReadFile(filepath.Join(dir, "apps", id+".appid")); err != nil || string(b) != string(info.AppID)+"\n" {
		t.Errorf(".appid holds %q, %v", b, err)
	}
	for name, mode := range map[string]fs.FileMode{".": 0o755, "run": 0o755, "tmp": 0o755, spk.ManifestName: 0o644} {
		if st, err := os.Stat(filepath.Join(s.Root(info.PackageID), name)); err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}

	// Once more, then as a new process sees it, then gone.
	if _, err := s.Install(ctx, bytes.NewReader(file), host.InstallOptions{}); err != nil {
		t.Error("second installation:", err)
	}
	s = openStore(t, dir)
	again, err := s.Get(info.PackageID)
	if err != nil || again.Package.SHA256 != info.SHA256 || len(again.Assets) != 1 {
		t.Errorf("got %+v, %v", again, err)
	}
	for range 2 { // from disk, from the cache
		if p, err := s.Package(info.PackageID); err != nil || p.AppID != info.AppID {
			t.Errorf("package %+v, %v", p, err)
		}
	}
	if ids, err := s.List(); err != nil || len(ids) != 1 || ids[0] != info.PackageID {
		t.Errorf("list %v, %v", ids, err)
	}
	if err := s.Remove(ctx, info.PackageID); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir)
	_, err = s.Package(info.PackageID)
	wantKey(t, err, sandstorm.NotFound, "package.not-found")
	wantKey(t, s.Remove(ctx, info.PackageID), sandstorm.NotFound, "package.not-found")
	wantFiles(t, dir)
}

func TestFailedInstallsLeaveNothing(t *testing.T) {
	good, info := makeSPK(t, "x", nil)
	broken := bytes.Clone(good)
	broken[len(broken)/2] ^= 1
	newAPI, _ := makeSPK(t, "x", func(m *sandstorm.Manifest) { m.MinAPIVersion = 1 })
	noCommand, _ := makeSPK(t, "x", func(m *sandstorm.Manifest) { m.Continue = nil })
	cause := errors.New("the upload broke off")
	for _, tt := range []struct {
		name string
		src  io.Reader
		want sandstorm.PackageID
		key  string
	}{
		{"damaged", bytes.NewReader(broken), "", "package.damaged"},
		{"truncated", bytes.NewReader(good[:len(good)-1]), "", "package.damaged"},
		{"other package", bytes.NewReader(good), "00000000000000000000000000000000", "package.other-hash"},
		{"future API", bytes.NewReader(newAPI), "", "package.api-version"},
		{"no command", bytes.NewReader(noCommand), "", "package.no-command"},
		{"not a package", strings.NewReader("PK\x03\x04 not a package"), "", "package.not-a-package"},
		{"broken off", io.MultiReader(bytes.NewReader(good[:50]), failing{cause}), "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := openStore(t, dir).Install(ctx, tt.src, host.InstallOptions{Want: tt.want})
			if tt.key != "" {
				wantKey(t, err, sandstorm.Invalid, tt.key)
			} else if !errors.Is(err, cause) {
				t.Error(err)
			}
			wantFiles(t, dir)
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(ctx)
		_, err := openStore(t, dir).Install(ctx, bytes.NewReader(good), host.InstallOptions{Progress: func(int64) { cancel() }})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		wantFiles(t, dir)
	})
	_ = info
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A developer could make two files with the same package id.
func TestSameIDOtherHash(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	file, info := makeSPK(t, "x", nil)
	if _, err := s.Install(ctx, bytes.NewReader(file), host.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	meta := filepath.Join(dir, "apps", string(info.PackageID)+".json")
	b, err := os.ReadFile(meta)
	if err != nil {
		t.Fatal(err)
	}
	other := info.SHA256[:32] + strings.Repeat("0", 32)
	if err := os.WriteFile(meta, bytes.Replace(b, []byte(info.SHA256), []byte(other), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = s.Install(ctx, bytes.NewReader(file), host.InstallOptions{})
	wantKey(t, err, sandstorm.Conflict, "package.other-content")
	if in, err := s.Get(info.PackageID); err != nil || in.Package.SHA256 != other {
		t.Errorf("the known package changed: %v, %v", in, err)
	}
}

func TestConcurrentInstalls(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	file, info := makeSPK(t, "x", nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Install(ctx, bytes.NewReader(file), host.InstallOptions{}); err != nil {
				t.Error(err)
			}
			if _, err := s.Get(info.PackageID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	id := string(info.PackageID)
	wantFiles(t, dir, id, id+".appid", id+".json")
}

func TestIDsAreNotPaths(t *testing.T) {
	s := openStore(t, t.TempDir())
	for _, id := range []sandstorm.PackageID{"", "..", "../tmp", "dev-abcdef", sandstorm.PackageID(strings.Repeat("A", 32))} {
		_, err := s.Get(id)
		wantKey(t, err, sandstorm.Invalid, "id.package")
		wantKey(t, s.Remove(ctx, id), sandstorm.Invalid, "id.package")
	}
}
