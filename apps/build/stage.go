package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// stage fills a fresh directory with what will be the package's root, all but
// the manifest, and returns it.
func (b *builder) stage(ctx context.Context, name string, d *definition) (string, error) {
	dir := b.stageDir(name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	app := b.appDir(name)
	pool := filepath.Join(b.work, "pool", name)
	if d.Root.Debian != nil {
		if err := b.fromDebian(ctx, d.Root.Debian, pool, dir); err != nil {
			return "", err
		}
	}
	for _, n := range d.Root.NPM {
		if err := b.fromNPM(ctx, &n, dir); err != nil {
			return "", err
		}
	}
	for _, to := range slices.Sorted(maps.Keys(d.Root.Files)) {
		if err := copyTree(filepath.Join(app, d.Root.Files[to]), filepath.Join(dir, to)); err != nil {
			return "", err
		}
	}
	binaries := maps.Clone(d.Root.Go)
	if binaries == nil {
		binaries = map[string]string{}
	}
	binaries["sandstorm-http-bridge"] = "apps/build/stub"
	for _, to := range slices.Sorted(maps.Keys(binaries)) {
		if err := b.compile(ctx, binaries[to], filepath.Join(dir, to)); err != nil {
			return "", err
		}
	}
	if d.Root.Script != "" {
		script := exec.CommandContext(ctx, "sh", "-eu", filepath.Join(app, d.Root.Script))
		script.Dir = app
		script.Env = append(os.Environ(), "STAGE="+dir, "POOL="+pool, "LC_ALL=C")
		if out, err := script.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", d.Root.Script, err, out)
		}
	}
	if d.Root.Debian != nil {
		return dir, addLibraries(dir, pool)
	}
	return dir, nil
}

func (b *builder) appDir(name string) string   { return filepath.Join(b.repo, "apps", name) }
func (b *builder) stageDir(name string) string { return filepath.Join(b.work, "stage", name) }

// compile builds a static program. Equal sources give equal bytes.
func (b *builder) compile(ctx context.Context, pkg, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", to, "./"+pkg)
	cmd.Dir = b.repo
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// copyTree copies a file or a folder: contents, symlinks, who may execute.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		return copyEntry(p, filepath.Join(to, rel))
	})
}

// copyEntry copies one entry, a folder without what is in it.
func copyEntry(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.MkdirAll(to, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		if err := os.Symlink(target, to); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	case !info.Mode().IsRegular():
		return nil
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	return writeFile(to, mode, func(w io.Writer) error {
		src, err := os.Open(from)
		if err != nil {
			return err
		}
		defer src.Close()
		_, err = io.Copy(w, src)
		return err
	})
}

func writeFile(to string, mode fs.FileMode, fill func(io.Writer) error) error {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	err = fill(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
