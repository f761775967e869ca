package spk

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/sandstorm-go/sandstorm"
)

// typed fails unless err is nil or tells people something.
func typed(t *testing.T, err error) {
	t.Helper()
	var known *sandstorm.Error
	if err != nil && !errors.As(err, &known) {
		t.Errorf("error without a kind: %v", err)
	}
}

// FuzzOpen feeds whole files: magic, xz, signature message.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("\x8f\xc6\xcd\xef\x45\x1a\xea\x96\xfd7zXZ\x00\x00\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Verify(context.Background(), bytes.NewReader(data), OpenOptions{TempDir: t.TempDir()})
		typed(t, err)
	})
}

// FuzzSignature feeds what is parsed before the signature is known to hold.
func FuzzSignature(f *testing.F) {
	signed, _ := hex.DecodeString(vectorSig + vectorDigest)
	message, err := signatureMessage(make([]byte, 32), signed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(message)
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := readSignature(bytes.NewReader(data))
		typed(t, err)
	})
}

// FuzzArchive feeds archives as a hostile author can sign them. What passes the
// rules must also unpack, and to no more bytes than the archive has.
func FuzzArchive(f *testing.F) {
	archive, _ := hex.DecodeString(vectorArchive)
	f.Add(archive)
	root := NewDirectory("")
	root.Put(NewFile(ManifestName, []byte("m"), false))
	root.Put(NewSymlink("link", "../target"))
	if err := root.AddMountPoints(); err != nil {
		f.Fatal(err)
	}
	plan, err := planArchive(root)
	if err != nil {
		f.Fatal(err)
	}
	var buf bytes.Buffer
	if err := plan.writeTo(context.Background(), &buf); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		file := &File{archive: data}
		err := file.Check(context.Background())
		typed(t, err)
		if err != nil {
			return
		}
		if file.info.Unpacked > int64(len(data)) || file.info.Nodes > len(data) {
			t.Errorf("%d bytes unpack to %+v", len(data), file.info)
		}
		if err := file.Unpack(context.Background(), t.TempDir()+"/out"); err != nil {
			t.Errorf("passes Check but: %v", err)
		}
	})
}

// FuzzManifest checks also that what was understood can be written and read
// again to the same.
func FuzzManifest(f *testing.F) {
	icon := NewPicture("image/png", []byte("png"))
	b, err := BuildManifest(&sandstorm.Manifest{
		AppTitle: sandstorm.LocalizedText{Default: "Notes", Localizations: map[string]string{"fi": "Muistiinpanot"}},
		Actions:  []sandstorm.Action{{Index: 1, Title: sandstorm.LocalizedText{Default: "New note"}, Command: sandstorm.Command{Argv: []string{"/run"}}}},
		Continue: &sandstorm.Command{Argv: []string{"/run"}, Environ: []string{"A=b"}},
		Metadata: sandstorm.Metadata{
			Website: "https://example.org", License: sandstorm.License{OpenSource: "mit"}, Categories: []string{"office"},
			Icons: sandstorm.Icons{AppGrid: &sandstorm.Icon{MIMEType: icon.MIMEType, Asset: icon.ID}},
		},
	}, []Picture{icon})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, pictures, err := ParseManifest(data)
		typed(t, err)
		if err != nil {
			return
		}
		again, err := BuildManifest(m, pictures)
		if err != nil {
			t.Fatalf("cannot be written: %v", err)
		}
		if _, _, err := ParseManifest(again); err != nil {
			t.Errorf("cannot be read again: %v", err)
		}
	})
}

func FuzzBridgeConfig(f *testing.F) {
	b, err := BuildBridgeConfig(&sandstorm.BridgeConfig{
		APIPath:     "/api",
		Permissions: []sandstorm.PermissionDef{{Name: "edit"}},
		Roles:       []sandstorm.RoleDef{{Title: sandstorm.LocalizedText{Default: "editor"}, Permissions: sandstorm.PermissionSet{true}}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseBridgeConfig(data)
		typed(t, err)
		if err != nil {
			return
		}
		if _, err := BuildBridgeConfig(c); err != nil {
			t.Errorf("cannot be written: %v", err)
		}
	})
}
