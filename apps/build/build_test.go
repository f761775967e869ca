package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/keyring"
	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// Each app in the repository is described completely, in two languages, and
// there is a key for it.
func TestDefinitions(t *testing.T) {
	b, err := newBuilder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	names, err := b.apps()
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	ring, err := keyring.Open(filepath.Join(b.repo, "apps", "keys", "development.keyring"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		def, err := pkgdef.Load(filepath.Join(b.appDir(name), definitionFile), pkgdef.Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := ring.Signing(def.ID); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		m := def.Parsed
		bridge, err := spk.ParseBridgeConfig(def.BridgeConfig)
		if err != nil || len(bridge.Permissions) == 0 {
			t.Errorf("%s: %+v, %v", name, bridge, err)
			continue
		}
		defaults := 0
		for _, r := range bridge.Roles {
			if r.Default {
				defaults++
			}
			if r.Title.Localizations["fr"] == "" || r.VerbPhrase.Localizations["fr"] == "" {
				t.Errorf("%s: role %q is not in French", name, r.Title.Default)
			}
		}
		if defaults != 1 {
			t.Errorf("%s: %d roles are the default, want 1", name, defaults)
		}
		md := m.Metadata
		if m.AppVersion == 0 || m.Continue == nil || len(m.Actions) == 0 || md.Icons.AppGrid == nil || md.License.OpenSource == "" || len(md.Categories) == 0 {
			t.Errorf("%s lacks something: %+v", name, m)
		}
		if md.ShortDescription.Localizations["fr"] == "" || md.Description.Localizations["fr"] == "" || m.Actions[0].NounPhrase.Localizations["fr"] == "" {
			t.Errorf("%s is not in French", name)
		}
	}
}

// Two builds of the same sources are the same package, and an up-to-date one is
// left alone.
func TestReproducible(t *testing.T) {
	var made [][]byte
	for range 2 {
		b, err := newBuilder(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		b.work = t.TempDir()
		if err := b.buildTools(t.Context()); err != nil {
			t.Fatal(err)
		}
		first, err := b.build(t.Context(), "probe", false)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(first.file)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, content)
		again, err := b.build(t.Context(), "probe", false)
		if err != nil || again.fresh || !first.fresh {
			t.Errorf("%+v then %+v, %v", first, again, err)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("two builds differ")
	}
}

func TestNoApp(t *testing.T) {
	b, err := newBuilder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../notes", "nowhere", "", "keys"} {
		if _, err := b.build(t.Context(), name, false); err == nil {
			t.Errorf("%q was built", name)
		}
	}
}
