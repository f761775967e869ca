//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/sandstorm-go/sandstorm/bench/internal/sample"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// fixture is a package as existing tools make them, and its xz data alone.
type fixture struct {
	dir, spk, xz string
	packed       int64
	trees        int
	info         *spk.Info
}

// makeFixture packs files of this system, which are as mixed as an app's:
// programs, libraries, scripts, pages, pictures.
func makeFixture(ctx context.Context, dir string, size int64) (*fixture, error) {
	f := &fixture{dir: dir, spk: filepath.Join(dir, "app.spk"), xz: filepath.Join(dir, "app.xz")}
	tree := filepath.Join(dir, "tree")
	if err := sample.Tree(tree, size); err != nil {
		return nil, err
	}
	root, err := spk.ReadTree(tree, spk.TreeOptions{})
	if err != nil {
		return nil, err
	}
	root.Put(spk.NewFile(spk.ManifestName, nil, false))
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	var ours bytes.Buffer
	if f.info, err = spk.Write(ctx, &ours, key, root, spk.WriteOptions{}); err != nil {
		return nil, err
	}
	// Then the same again as `spk pack` of the original compresses.
	const magic = 8
	head := ours.Next(magic)
	plain := exec.CommandContext(ctx, "xz", "-dc")
	plain.Stdin = &ours
	packer := exec.CommandContext(ctx, "xz", "-c", "--threads=0")
	if packer.Stdin, err = plain.StdoutPipe(); err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	packer.Stdout = &packed
	if err := errors.Join(plain.Start(), packer.Run(), plain.Wait()); err != nil {
		return nil, fmt.Errorf("xz: %w", err)
	}
	f.packed = int64(packed.Len())
	return f, errors.Join(
		os.WriteFile(f.xz, packed.Bytes(), 0o600),
		os.WriteFile(f.spk, append(bytes.Clone(head), packed.Bytes()...), 0o600),
	)
}

// unpack verifies and unpacks the package, as the server does.
func (f *fixture) unpack(ctx context.Context) (cost, error) {
	// All trees stay until the end: ext4 makes new files slowly for a while
	// after many were deleted, and nothing is deleted before an installation.
	f.trees++
	out := filepath.Join(f.dir, fmt.Sprint("out", f.trees))
	file, err := os.Open(f.spk)
	if err != nil {
		return cost{}, err
	}
	defer file.Close()
	began, cpu := time.Now(), sample.OwnCPU()
	_, err = spk.Unpack(ctx, file, out, spk.OpenOptions{TempDir: f.dir})
	took := cost{time.Since(began), sample.OwnCPU() - cpu}
	return took, err
}

// decompress runs the peer.
func (f *fixture) decompress(ctx context.Context) (cost, error) {
	cmd := exec.CommandContext(ctx, "xz", "-dc", f.xz) // its output goes to /dev/null
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	if err != nil {
		return cost{}, fmt.Errorf("xz: %w", err)
	}
	return cost{took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}
