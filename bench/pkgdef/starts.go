//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/bench/internal/hostproc"
	"github.com/sandstorm-go/sandstorm/bench/internal/sample"
	"github.com/sandstorm-go/sandstorm/internal/devfs"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// starts compares how long a new grain takes to its first page, in development
// and installed, in turns.
func starts(ctx context.Context, definition, file string, rounds int) error {
	h, err := hostproc.Start()
	if err != nil {
		return err
	}
	defer h.Close()
	installed, err := install(ctx, h.Client, file)
	if err != nil {
		return err
	}
	dev, err := develop(ctx, h.Client, definition)
	if err != nil {
		return err
	}
	defer dev.Close()
	var ours, plain []time.Duration
	var ratios []float64
	for i := -1; i < rounds; i++ {
		p, err := start(ctx, h.Client, installed)
		if err != nil {
			return err
		}
		d, err := start(ctx, h.Client, &dev.Installed().Package)
		if err != nil {
			return err
		}
		if i >= 0 {
			ours, plain = append(ours, d), append(plain, p)
			ratios = append(ratios, d.Seconds()/p.Seconds())
		}
	}
	fmt.Printf("first page: in development %d ms, installed %d ms\n", median(ours).Milliseconds(), median(plain).Milliseconds())
	fmt.Println("bench-pkgdef: start of the app: in development/installed =", sample.Ratios(ratios))
	return nil
}

func install(ctx context.Context, client host.Client, file string) (*sandstorm.Package, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%w: run “make apps” first", err)
	}
	defer f.Close()
	in, err := client.InstallPackage(ctx, f, host.InstallOptions{})
	if err != nil {
		return nil, err
	}
	return &in.Package, nil
}

// tree is a definition's tree as devfs wants it.
type tree struct{ *pkgdef.Tree }

// Resolve implements devfs.Tree.
func (t tree) Resolve(path string) (*devfs.Entry, error) {
	e, err := t.Tree.Resolve(path)
	return (*devfs.Entry)(e), err
}

// develop shows the app to the host, as `spk dev` does.
func develop(ctx context.Context, client host.Client, definition string) (host.DevPackage, error) {
	def, err := pkgdef.Load(definition, pkgdef.Options{})
	if err != nil {
		return nil, err
	}
	root := spk.NewDirectory("")
	root.Put(spk.NewFile(spk.ManifestName, def.Manifest, false))
	root.Put(spk.NewFile(spk.BridgeConfigName, def.BridgeConfig, false))
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	var head bytes.Buffer
	if _, err := spk.Write(ctx, &head, key, root, spk.WriteOptions{Store: true}); err != nil {
		return nil, err
	}
	dev, err := client.OpenDev(ctx, &head, host.DevOptions{App: def.ID, Mount: true})
	if err != nil {
		return nil, err
	}
	device := dev.FUSE()
	defer device.Close()
	_, err = devfs.Serve(device, tree{def.Tree(pkgdef.TreeOptions{})}, devfs.Options{})
	return dev, err
}

// start is one grain's life until its first page.
func start(ctx context.Context, client host.Client, pkg *sandstorm.Package) (time.Duration, error) {
	lease := host.Lease{Grain: sandstorm.NewGrainID(), Epoch: 1}
	took, _, err := hostproc.FirstPage(ctx, client, pkg, host.StartRequest{Lease: lease, Package: pkg.ID})
	if err != nil {
		return 0, err
	}
	return took, client.DeleteGrain(ctx, lease)
}
