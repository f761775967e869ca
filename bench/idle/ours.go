//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/bench/internal/hostproc"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/stage"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// payload is a static server that listens and then waits for ever.
func payload() ([]byte, error) {
	p := stage.New(2)
	fd := p.CallTo("socket", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0)
	address := []byte{unix.AF_INET, 0, 0x1f, 0x40, 127, 0, 0, 1, 15: 0} // 127.0.0.1:8000
	p.CallOn(fd, "bind", unix.SYS_BIND, p.Bytes(address), uint64(len(address)))
	p.CallOn(fd, "listen", unix.SYS_LISTEN, 8)
	p.Call("pause", unix.SYS_PAUSE)
	program, err := p.Encode()
	if err != nil {
		return nil, err
	}
	return stage.Image(program)
}

// makePackage is a package with the payload.
func makePackage() ([]byte, error) {
	app, err := payload()
	if err != nil {
		return nil, err
	}
	command := sandstorm.Command{Argv: []string{"/sandstorm-http-bridge", "8000", "--", "/app"}}
	manifest, err := spk.BuildManifest(&sandstorm.Manifest{
		AppTitle: sandstorm.LocalizedText{Default: "Idle"}, AppVersion: 1, Continue: &command,
		Actions: []sandstorm.Action{{NounPhrase: sandstorm.LocalizedText{Default: "thing"}, Command: command}},
	}, nil)
	if err != nil {
		return nil, err
	}
	root := spk.NewDirectory("")
	root.Put(spk.NewFile(spk.ManifestName, manifest, false))
	root.Put(spk.NewFile("app", app, true))
	if err := root.AddMountPoints(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	_, err = spk.Write(context.Background(), &out, key, root, spk.WriteOptions{})
	return out.Bytes(), err
}

// cost is what a grain costs, in bytes: its share of the host process's growth,
// and its grain-init.
type cost struct{ host, init float64 }

func (c cost) perGrain() float64 { return c.host + c.init }

// measureOurs starts a host process with grains, measures and ends it.
func measureOurs(pkg []byte, grains int) (c cost, err error) {
	h, err := hostproc.Start()
	if err != nil {
		return c, err
	}
	c, err = fill(h.Client, h.PID, pkg, grains)
	return c, errors.Join(err, h.Close())
}

// fill starts the grains and measures before and after.
func fill(client host.Client, pid int, pkg []byte, grains int) (c cost, err error) {
	ctx := context.Background()
	installed, err := client.InstallPackage(ctx, bytes.NewReader(pkg), host.InstallOptions{})
	if err != nil {
		return c, err
	}
	// The first grain pays for what all share.
	if _, err := start(ctx, client, installed.Package.ID); err != nil {
		return c, err
	}
	time.Sleep(settle)
	before, err := hostproc.PSS(pid)
	if err != nil {
		return c, err
	}
	var inits []int
	for range grains {
		s, err := start(ctx, client, installed.Package.ID)
		if err != nil {
			return c, err
		}
		inits = append(inits, s.PID)
	}
	time.Sleep(settle)
	after, err := hostproc.PSS(pid)
	if err != nil {
		return c, err
	}
	c.host = float64(after-before) / float64(grains)
	for _, pid := range inits {
		n, err := hostproc.PSS(pid)
		if err != nil {
			return c, fmt.Errorf("grain-init: %w", err)
		}
		c.init += float64(n) / float64(grains)
	}
	return c, nil
}

// start makes a grain, starts it and waits until its app listens.
func start(ctx context.Context, client host.Client, pkg sandstorm.PackageID) (*host.GrainStatus, error) {
	return hostproc.StartGrain(ctx, client, host.StartRequest{
		Lease: host.Lease{Grain: sandstorm.NewGrainID(), Epoch: 1}, Package: pkg,
	})
}
