package rootfs

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// clock is the time of all entries in the archives of the tests.
var clock = time.Date(2024, 2, 29, 12, 30, 0, 123456789, time.UTC)

func dir(name string) tar.Header {
	return tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}
}

func file(name, content string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Uname: content, Size: int64(len(content))}
}

func program(name, content string) tar.Header {
	h := file(name, content)
	h.Mode = 0o755
	return h
}

func symlink(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}
}

func hardlink(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target, Mode: 0o644}
}

// archive packs entries. The content of files travels in Uname.
func archive(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range entries {
		content := h.Uname
		h.Uname = ""
		if h.ModTime.IsZero() {
			h.ModTime = clock
		}
		h.Format = tar.FormatPAX
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// image is an image layout that a test puts together.
type image struct {
	t      testing.TB
	dir    string
	layers []descriptor
	diffs  []digest
	config map[string]any
}

func newImage(t testing.TB) *image {
	t.Helper()
	m := &image{t: t, dir: t.TempDir(), config: map[string]any{"os": "linux", "architecture": "amd64"}}
	m.write("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	if err := os.MkdirAll(filepath.Join(m.dir, "blobs/sha256"), 0o755); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *image) write(name string, content []byte) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), content, 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *image) blob(mediaType string, content []byte) descriptor {
	m.t.Helper()
	sum := fmt.Sprintf("%x", sha256.Sum256(content))
	m.write("blobs/sha256/"+sum, content)
	return descriptor{MediaType: mediaType, Digest: digest("sha256:" + sum), Size: int64(len(content))}
}

func (m *image) json(mediaType string, v any) descriptor {
	m.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		m.t.Fatal(err)
	}
	return m.blob(mediaType, text)
}

// layer adds a layer, compressed in turn as images have it.
func (m *image) layer(entries ...tar.Header) *image {
	return m.rawLayer(archive(m.t, entries...))
}

func (m *image) rawLayer(plain []byte) *image {
	m.diffs = append(m.diffs, digest(fmt.Sprintf("sha256:%x", sha256.Sum256(plain))))
	kinds := []struct{ mediaType, compression string }{
		{"application/vnd.oci.image.layer.v1.tar", ""},
		{"application/vnd.oci.image.layer.v1.tar+gzip", "gzip"},
		{"application/vnd.oci.image.layer.v1.tar+zstd", "zstd"},
		{"application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip"},
	}
	kind := kinds[len(m.layers)%len(kinds)]
	m.layers = append(m.layers, m.blob(kind.mediaType, pack(m.t, plain, kind.compression)))
	return m
}

func pack(t testing.TB, plain []byte, how string) []byte {
	var b bytes.Buffer
	switch how {
	case "gzip":
		w := gzip.NewWriter(&b)
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	case "zstd":
		w, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	default:
		return plain
	}
	return b.Bytes()
}

// manifest writes configuration and manifest.
func (m *image) manifest() descriptor {
	m.config["rootfs"] = map[string]any{"type": "layers", "diff_ids": m.diffs}
	return m.json(manifestOCI, map[string]any{
		"schemaVersion": 2,
		"config":        m.json("application/vnd.oci.image.config.v1+json", m.config),
		"layers":        m.layers,
	})
}

func (m *image) index(manifests ...descriptor) {
	m.t.Helper()
	text, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": manifests})
	if err != nil {
		m.t.Fatal(err)
	}
	m.write("index.json", text)
}

// unpack completes the layout with one image in it and unpacks it.
func (m *image) unpack() (string, *Image, error) {
	m.t.Helper()
	m.index(m.manifest())
	return m.unpackAs("oci:"+m.dir, Options{})
}

func (m *image) unpackAs(source string, opts Options) (string, *Image, error) {
	m.t.Helper()
	into := filepath.Join(m.t.TempDir(), "root")
	s, err := ParseSource(source)
	if err != nil {
		m.t.Fatal(err)
	}
	img, err := s.Unpack(context.Background(), into, opts)
	if err != nil {
		nothingLeft(m.t, into)
	}
	return into, img, err
}

// nothingLeft fails if an unpacking that failed left something behind.
func nothingLeft(t testing.TB, into string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(into))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s stays behind after an error", e.Name())
	}
}

// list describes a tree, one entry a line: its name, "/" for directories, "*"
// for executables, the target of symlinks, the content of files.
func list(t testing.TB, root string) string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			name += "/"
			if info.Mode() != fs.ModeDir|0o755 {
				name += fmt.Sprintf(" mode %v", info.Mode())
			}
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			name += " -> " + target
		case d.Type().IsRegular():
			content, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			switch info.Mode() {
			case 0o755:
				name += "*"
			case 0o644:
			default:
				name += fmt.Sprintf(" mode %v", info.Mode())
			}
			name += " = " + string(content)
		default:
			name += fmt.Sprintf(" is a %v", d.Type())
		}
		lines = append(lines, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
