package e2e

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// brokenPackage writes a package whose app can never start: its program is not
// there. It returns the file.
func brokenPackage(t *testing.T) string {
	t.Helper()
	manifest, err := spk.BuildManifest(&sandstorm.Manifest{
		AppTitle: sandstorm.LocalizedText{Default: "Broken"}, AppVersion: 1,
		MarketingVersion: sandstorm.LocalizedText{Default: "1"},
		Actions: []sandstorm.Action{{
			NounPhrase: sandstorm.LocalizedText{Default: "thing"},
			Command:    sandstorm.Command{Argv: []string{"/sandstorm-http-bridge", "8000", "--", "/bin/missing"}},
		}},
		Continue: &sandstorm.Command{Argv: []string{"/sandstorm-http-bridge", "8000", "--", "/bin/missing"}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	root := spk.NewDirectory("")
	root.Put(spk.NewFile(spk.ManifestName, manifest, false))
	if err := root.PutAt("bin", spk.NewFile("app", []byte("#!/bin/nothing\n"), true)); err != nil {
		t.Fatal(err)
	}
	if err := root.AddMountPoints(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	key := ed25519.NewKeyFromSeed([]byte("a key of the tests, not a secret"))
	if _, err := spk.Write(t.Context(), &out, key, root, spk.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "broken.spk")
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
