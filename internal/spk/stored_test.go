package spk_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// A package that is not compressed is a package.
func TestStoredPackage(t *testing.T) {
	manifest, err := spk.BuildManifest(&sandstorm.Manifest{AppTitle: sandstorm.LocalizedText{Default: "Stored"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	root := spk.NewDirectory("")
	root.Put(spk.NewFile(spk.ManifestName, manifest, false))
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	for range 20 { // writers that get into each other's way do not always
		var out bytes.Buffer
		wrote, err := spk.Write(t.Context(), &out, key, root, spk.WriteOptions{Store: true})
		if err != nil {
			t.Fatal(err)
		}
		read, err := spk.Verify(t.Context(), &out, spk.OpenOptions{})
		if err != nil || read.PackageID != wrote.PackageID {
			t.Fatalf("read %+v, %v, wrote %+v", read, err, wrote)
		}
	}
}
