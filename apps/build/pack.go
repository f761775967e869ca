package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// packed is the time that all files of our packages bear, so that equal inputs
// make equal packages.
var packed = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// made is a package that lies in the output directory.
type made struct {
	file    string
	version string
	size    int64
	fresh   bool // it was built just now
}

// build makes one package, unless the one that is there was made of the same.
func (b *builder) build(ctx context.Context, name string, force bool) (*made, error) {
	if !filepath.IsLocal(name) || strings.ContainsRune(name, '/') {
		return nil, errors.New("this is no app's name")
	}
	d, err := readDefinition(b.appDir(name))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.out, name+".spk")
	result := &made{file: file, version: d.Marketing}
	stamp := filepath.Join(b.work, "stamps", name)
	inputs, err := b.inputs(ctx, name, d)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(file); err == nil && !force && stampSays(stamp, inputs, file) {
		result.size = info.Size()
		return result, nil
	}
	stage, err := b.stage(ctx, name, d)
	if err != nil {
		return nil, err
	}
	info, err := b.pack(ctx, name, d, stage, file)
	if err != nil {
		return nil, err
	}
	result.size, result.fresh = info.Packed, true
	if err := os.MkdirAll(filepath.Dir(stamp), 0o755); err != nil {
		return nil, err
	}
	return result, os.WriteFile(stamp, []byte(inputs+"\n"+info.SHA256+"\n"), 0o644)
}

// stampSays reports whether file is what was last built, and of these inputs.
func stampSays(stamp, inputs, file string) bool {
	b, err := os.ReadFile(stamp)
	if err != nil {
		return false
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(content)
	return string(b) == inputs+"\n"+hex.EncodeToString(sum[:])+"\n"
}

// inputs names all that a package is made of: the app's folder, the builder,
// the keys and the programs. What Debian has is not asked: --force does that.
func (b *builder) inputs(ctx context.Context, name string, d *definition) (string, error) {
	h := sha256.New()
	for _, dir := range []string{b.appDir(name), filepath.Join(b.repo, "apps", "build"), filepath.Join(b.repo, "apps", "keys")} {
		err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() || strings.HasSuffix(p, "_test.go") {
				return err
			}
			content, err := os.ReadFile(p)
			fmt.Fprintf(h, "%s %d\n", p, len(content))
			h.Write(content)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	// A program depends on more than the folder; the toolchain's cache knows.
	for _, pkg := range d.Root.Go {
		tmp := filepath.Join(b.work, "inputs", name)
		if err := b.compile(ctx, pkg, tmp); err != nil {
			return "", err
		}
		content, err := os.ReadFile(tmp)
		if err != nil {
			return "", err
		}
		h.Write(content)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// pack writes the package of a staged root.
func (b *builder) pack(ctx context.Context, name string, d *definition, stage, file string) (*spk.Info, error) {
	root, err := spk.ReadTree(stage, spk.TreeOptions{ModTime: packed})
	if err != nil {
		return nil, err
	}
	m, pictures, err := d.manifest(b.appDir(name))
	if err != nil {
		return nil, err
	}
	manifest, err := spk.BuildManifest(m, pictures)
	if err != nil {
		return nil, err
	}
	bridge, err := spk.BuildBridgeConfig(d.bridgeConfig())
	if err != nil {
		return nil, err
	}
	root.Put(spk.NewFile(spk.ManifestName, manifest, false))
	root.Put(spk.NewFile(spk.BridgeConfigName, bridge, false))
	if err := root.AddMountPoints(); err != nil {
		return nil, err
	}
	key, err := b.key(name)
	if err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(b.out, "."+name+"-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	info, err := spk.Write(ctx, tmp, key, root, spk.WriteOptions{})
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	return info, os.Rename(tmp.Name(), file)
}

// key reads an app's signing key. It is public: see ../keys/README.md.
func (b *builder) key(name string) (ed25519.PrivateKey, error) {
	content, err := os.ReadFile(filepath.Join(b.repo, "apps", "keys", "development.json"))
	if err != nil {
		return nil, err
	}
	var seeds map[string]string
	if err := json.Unmarshal(content, &seeds); err != nil {
		return nil, fmt.Errorf("development.json: %w", err)
	}
	seed, err := hex.DecodeString(seeds[name])
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.New("there is no signing key for this app in apps/keys/development.json")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
