//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
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
	data, err := os.MkdirTemp("", "idle")
	if err != nil {
		return c, err
	}
	defer os.RemoveAll(data)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), envHost+"="+data)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return c, err
	}
	defer func() { _ = cmd.Wait() }()
	client, err := dial(host.SocketPath(data))
	if err != nil {
		_ = cmd.Process.Kill()
		return c, err
	}
	defer client.Close()
	defer func() {
		if serr := client.Shutdown(context.Background(), true); err == nil {
			err = serr
		}
	}()
	return fill(client, cmd.Process.Pid, pkg, grains)
}

func dial(path string) (host.Client, error) {
	deadline := time.Now().Add(20 * time.Second)
	for {
		client, err := host.Dial(context.Background(), path)
		if err == nil || time.Now().After(deadline) {
			return client, err
		}
		time.Sleep(10 * time.Millisecond)
	}
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
	before, err := pss(pid)
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
	after, err := pss(pid)
	if err != nil {
		return c, err
	}
	c.host = float64(after-before) / float64(grains)
	for _, pid := range inits {
		n, err := pss(pid)
		if err != nil {
			return c, fmt.Errorf("grain-init: %w", err)
		}
		c.init += float64(n) / float64(grains)
	}
	return c, nil
}

// start makes a grain, starts it and waits until its app listens.
func start(ctx context.Context, client host.Client, pkg sandstorm.PackageID) (*host.GrainStatus, error) {
	lease := host.Lease{Grain: sandstorm.NewGrainID(), Epoch: 1}
	if err := client.CreateGrain(ctx, lease); err != nil {
		return nil, err
	}
	s, err := client.StartGrain(ctx, host.StartRequest{Lease: lease, Package: pkg})
	if err != nil {
		return nil, err
	}
	conn, err := client.DialGrain(ctx, s.Grain, s.Instance)
	if err != nil {
		return nil, err
	}
	return s, conn.Close()
}
