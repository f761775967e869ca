package pkgstore_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/spk"
	"github.com/sandstorm-go/sandstorm/schema"
)

// A package that claims an author without proof is not installed, and leaves
// nothing behind.
func TestForgedAuthor(t *testing.T) {
	msg, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		t.Fatal(err)
	}
	m, err := schema.NewRootManifest(seg)
	if err != nil {
		t.Fatal(err)
	}
	command, err1 := m.NewContinueCommand()
	argv, err2 := command.NewArgv(1)
	metadata, err3 := m.NewMetadata()
	if err := errors.Join(err1, err2, err3, argv.Set(0, "/run"),
		metadata.Author().SetPgpSignature([]byte("signed, the owner of somebody else's key"))); err != nil {
		t.Fatal(err)
	}
	manifest, err := msg.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	root := spk.NewDirectory("")
	root.Put(spk.NewFile(spk.ManifestName, manifest, false))
	var out bytes.Buffer
	if _, err := spk.Write(ctx, &out, ed25519.NewKeyFromSeed(make([]byte, 32)), root, spk.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, err = openStore(t, dir).Install(ctx, &out, host.InstallOptions{})
	var known *sandstorm.Error
	if !errors.As(err, &known) || known.Key != "package.bad-author" {
		t.Errorf("%v", err)
	}
	wantFiles(t, dir)
}
