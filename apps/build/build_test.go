package main

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/spk"
)

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"a/b", "a/b", true},
		{"a/b", "a/b/c", true},
		{"a/b", "a", false},
		{"a/*.so", "a/x.so", true},
		{"a/*.so", "a/b/x.so", false},
		{"**/tests", "usr/lib/x/tests/y.py", true},
		{"**/tests", "tests", true},
		{"**/tests", "usr/latests", false},
		{"usr/**/x.py", "usr/x.py", true},
		{"usr/share/doc/*/copyright", "usr/share/doc/p/copyright", true},
	} {
		if got := matches(tt.pattern, tt.name); got != tt.want {
			t.Errorf("%s on %s: %v", tt.pattern, tt.name, got)
		}
	}
}

// Each app in the repository is described completely.
func TestDefinitions(t *testing.T) {
	b, err := newBuilder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	names, err := b.apps()
	if err != nil || len(names) < 6 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		d, err := readDefinition(b.appDir(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := b.key(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		m, pictures, err := d.manifest(b.appDir(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		content, err := spk.BuildManifest(m, pictures)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, _, err := spk.ParseManifest(content)
		if err != nil || again.Metadata.Icons.AppGrid == nil || again.AppTitle.Localizations["fr"] == "" {
			t.Errorf("%s: %v %+v", name, err, again)
		}
	}
}

func TestBadDefinitions(t *testing.T) {
	const good = `{"version":1,"marketingVersion":"1","title":{"en":"a","fr":"a"},"summary":{"en":"a","fr":"a"},"description":{"en":"a","fr":"a"},
		"actions":[{"title":{"en":"a","fr":"a"},"noun":{"en":"a","fr":"a"}}],"command":["/app"],"icon":"i.svg","permissions":[{"name":"view","title":{"en":"a","fr":"a"}}],
		"roles":[{"title":{"en":"a","fr":"a"},"verb":{"en":"a","fr":"a"},"permissions":["view"],"default":true}]}`
	dir := t.TempDir()
	write := func(s string) {
		if err := os.WriteFile(filepath.Join(dir, definitionFile), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(good)
	if _, err := readDefinition(dir); err != nil {
		t.Fatal(err)
	}
	for old, bad := range map[string]string{
		`"version":1`: `"version":0`, `["/app"]`: `["app"]`, `"icon":"i.svg"`: `"icon":""`, `"permissions":["view"]`: `"permissions":["vieW"]`,
		`"default":true`: `"default":false`, `"title":{"en":"a","fr":"a"}`: `"title":{"en":"a"}`, `"marketingVersion"`: `"marketing"`,
	} {
		write(strings.Replace(good, old, bad, 1))
		if _, err := readDefinition(dir); err == nil {
			t.Errorf("%s in place of %s was taken", bad, old)
		}
	}
}

// Packages of strangers' archives stay in their directory.
func TestUnpackTar(t *testing.T) {
	archive := func(headers ...tar.Header) *tar.Reader {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range headers {
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
		}
		w.Close()
		return tar.NewReader(&b)
	}
	pool := t.TempDir()
	if err := unpackTar(archive(
		tar.Header{Name: "./lib/x/", Typeflag: tar.TypeDir, Mode: 0o755},
		tar.Header{Name: "./lib/x/lib.so", Typeflag: tar.TypeReg, Mode: 0o644},
		tar.Header{Name: "./usr/share/nowhere", Typeflag: tar.TypeSymlink, Linkname: "/gone"},
		tar.Header{Name: "./usr/share/nowhere/", Typeflag: tar.TypeDir, Mode: 0o755},
		tar.Header{Name: "./usr/share/nowhere", Typeflag: tar.TypeSymlink, Linkname: "/gone"},
	), pool); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"usr/lib/x/lib.so", "usr/share/nowhere"} {
		if _, err := os.Stat(filepath.Join(pool, p)); err != nil {
			t.Error(err)
		}
	}
	if err := unpackTar(archive(tar.Header{Name: "../evil", Typeflag: tar.TypeReg, Mode: 0o644}), pool); err == nil {
		t.Error("an entry outside was unpacked")
	}
}

// Two builds of the same sources are the same package, and an up-to-date one is
// left alone.
func TestReproducible(t *testing.T) {
	var sums []string
	for range 2 {
		b, err := newBuilder(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		b.work = t.TempDir()
		first, err := b.build(t.Context(), "probe", false)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(first.file)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, string(content))
		again, err := b.build(t.Context(), "probe", false)
		if err != nil || again.fresh || !first.fresh {
			t.Errorf("%+v then %+v, %v", first, again, err)
		}
	}
	if sums[0] != sums[1] {
		t.Error("two builds differ")
	}
	b, err := newBuilder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../notes", "nowhere", ""} {
		if _, err := b.build(t.Context(), name, false); err == nil {
			t.Errorf("%q was built", name)
		}
	}
}
