package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// inputs names all that a package is made of: the app's folder, the builder,
// the key, what recipes of Node programs share, the bridge and, of a Go program, its packages. What Debian has is not
// asked, nor whether spk itself has changed: --force does that.
func (b *builder) inputs(ctx context.Context, name string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, os.Getenv(storeVariable))
	for _, dir := range []string{b.appDir(name), filepath.Join(b.repo, "apps", "build"), filepath.Join(b.repo, "apps", "keys"), filepath.Join(b.repo, "apps", "internal", "node")} {
		err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() || strings.HasSuffix(p, "_test.go") {
				return err
			}
			return hashFile(h, p)
		})
		if err != nil {
			return "", err
		}
	}
	if err := hashFile(h, b.tool("sandstorm-http-bridge")); err != nil {
		return "", err
	}
	if found, err := filepath.Glob(filepath.Join(b.appDir(name), "main.go")); err != nil || len(found) == 0 {
		return hex.EncodeToString(h.Sum(nil)), err
	}
	if err := b.hashProgram(ctx, h, name); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashProgram adds the packages of this repository that a program consists of.
func (b *builder) hashProgram(ctx context.Context, h hash.Hash, name string) error {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Dir,GoFiles,SFiles,EmbedFiles,Module", "./apps/"+name)
	cmd.Dir = b.repo
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			Dir                         string
			GoFiles, SFiles, EmbedFiles []string
			Module                      *struct {
				Path, Version string
				Main          bool
			}
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if pkg.Module == nil { // the standard library
			continue
		}
		fmt.Fprintln(h, pkg.Module.Path, pkg.Module.Version)
		if !pkg.Module.Main {
			continue
		}
		for _, list := range [][]string{pkg.GoFiles, pkg.SFiles, pkg.EmbedFiles} {
			for _, file := range list {
				if err := hashFile(h, filepath.Join(pkg.Dir, file)); err != nil {
					return err
				}
			}
		}
	}
}

func hashFile(h hash.Hash, path string) error {
	content, err := os.ReadFile(path)
	if err == nil {
		fmt.Fprintf(h, "%s %d\n", path, len(content))
		h.Write(content)
	}
	return err
}

// stampSays reports whether file is what was last built, and of these inputs.
func stampSays(stamp, inputs, file string) bool {
	want, err := os.ReadFile(stamp)
	if err != nil {
		return false
	}
	have, err := stampOf(inputs, file)
	return err == nil && string(want) == have
}

func writeStamp(stamp, inputs, file string) error {
	text, err := stampOf(inputs, file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(stamp), 0o755); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(text), 0o644)
}

func stampOf(inputs, file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return inputs + "\n" + hex.EncodeToString(sum[:]) + "\n", nil
}
