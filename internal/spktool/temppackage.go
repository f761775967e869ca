package spktool

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"os"

	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// tempPackage is a package on its way to a server on this machine: in a file
// without a name, and signed by a key that is thrown away.
type tempPackage struct {
	*os.File
	size int64
}

// packTemp packs a tree. The caller closes the package.
func packTemp(ctx context.Context, root *spk.Node) (p *tempPackage, err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp("", "spk-dev.")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil { // first of all: nothing can leave it behind
		f.Close()
		return nil, err
	}
	info, err := spk.Write(ctx, f, key, root, spk.WriteOptions{Store: true})
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &tempPackage{f, info.Packed}, nil
}

// packHead packs what says how the app is started, without its files.
func packHead(ctx context.Context, def *pkgdef.Definition) (*tempPackage, error) {
	root := spk.NewDirectory("")
	root.Put(spk.NewFile(spk.ManifestName, def.Manifest, false))
	if def.WantsBridge {
		root.Put(spk.NewFile(spk.BridgeConfigName, def.BridgeConfig, false))
	}
	return packTemp(ctx, root)
}
