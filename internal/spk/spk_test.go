package spk_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// testKey is the key of the test vector in packages.md §2.
func testKey() ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	return ed25519.NewKeyFromSeed(seed)
}

// pack writes a package of the children, with a stand-in for the manifest if
// there is none.
func pack(t testing.TB, children ...*spk.Node) []byte {
	t.Helper()
	root := spk.NewDirectory("")
	root.Put(spk.NewFile(spk.ManifestName, nil, false))
	for _, c := range children {
		root.Put(c)
	}
	var buf bytes.Buffer
	if _, err := spk.Write(context.Background(), &buf, testKey(), root, spk.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestRoundTrip(t *testing.T) {
	src := t.TempDir()
	when := time.Unix(1500000000, 1)
	write := func(name, content string, mode fs.FileMode) {
		t.Helper()
		path := filepath.Join(src, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("sandstorm-manifest", "", 0o644)
	write("bin/run", "#!/bin/sh\n", 0o700)
	write("etc/passwd", strings.Repeat("x", 100_000), 0o600)
	write("b\xffytes", "not UTF-8", 0o644)
	write("empty", "", 0o644)
	for target, name := range map[string]string{"/absolute": "abs", "../../outside": "etc/up", "passwd": "etc/link"} {
		if err := os.Symlink(target, filepath.Join(src, name)); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := spk.ReadTree(src, spk.TreeOptions{ModTime: when})
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.AddMountPoints(); err != nil {
		t.Fatal(err)
	}
	var file, again bytes.Buffer
	want, err := spk.Write(context.Background(), &file, testKey(), tree, spk.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := spk.Write(context.Background(), &again, testKey(), tree, spk.WriteOptions{}); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Errorf("packing twice gave different files (%v)", err)
	}

	dir := filepath.Join(t.TempDir(), "out")
	info, err := spk.Unpack(context.Background(), &file, dir, spk.OpenOptions{TempDir: t.TempDir(), Want: want.PackageID})
	if err != nil {
		t.Fatal(err)
	}
	if *info != *want {
		t.Errorf("unpacked %+v\npacked %+v", *info, *want)
	}
	if info.AppID != "0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0" {
		t.Errorf("app id %s", info.AppID)
	}
	for name, mode := range map[string]fs.FileMode{
		"bin/run": 0o755, "etc/passwd": 0o644, "b\xffytes": 0o644, "empty": 0o644,
		"bin": fs.ModeDir | 0o755, "dev": fs.ModeDir | 0o755, "var": fs.ModeDir | 0o755, "tmp": fs.ModeDir | 0o755,
		"proc/cpuinfo": 0o644, "abs": fs.ModeSymlink | 0o777,
	} {
		got, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if got.Mode() != mode {
			t.Errorf("%q has mode %v, want %v", name, got.Mode(), mode)
		} else if src, err := os.Lstat(filepath.Join(src, name)); err == nil {
			if !got.ModTime().Equal(when) {
				t.Errorf("%q has time %v", name, got.ModTime())
			}
			if mode.IsRegular() && src.Size() != got.Size() {
				t.Errorf("%q has %d bytes, want %d", name, got.Size(), src.Size())
			}
		}
	}
	if target, err := os.Readlink(filepath.Join(dir, "etc/up")); err != nil || target != "../../outside" {
		t.Errorf("symlink leads to %q, %v", target, err)
	}
}

// wantKey checks that err names the message that people shall see.
func wantKey(t testing.TB, what string, err error, key string) {
	t.Helper()
	var e *sandstorm.Error
	if !errors.As(err, &e) || e.Key != key {
		t.Errorf("%s: error %v, want key %s", what, err, key)
	}
}
