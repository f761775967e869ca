package rootfs

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fuzzRoot is a directory beside a file that must not change.
func fuzzRoot(t *testing.T) (root string, check func()) {
	t.Helper()
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("unharmed"), 0o600); err != nil {
		t.Fatal(err)
	}
	root = filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return root, func() {
		t.Helper()
		if b, err := os.ReadFile(victim); err != nil || string(b) != "unharmed" {
			t.Fatalf("a file outside of the root: %q, %v", b, err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
			t.Fatalf("outside of the root: %v, %v", entries, err)
		}
		list(t, root) // fails for anything that a package cannot hold
	}
}

var fuzzLimits = Options{MaxBytes: 1 << 20, MaxEntries: 200}.withDefaults()

// FuzzLayers applies two layers, out of a tar archive that is cut in two.
func FuzzLayers(f *testing.F) {
	f.Add(archive(f, symlink("s", ".."), file("s/victim", "x")), uint16(1), false)
	f.Add(archive(f, dir("a"), file("a/.wh..wh..opq", ""), file("a/b", "b"), hardlink("c", "a/b")), uint16(2), false)
	f.Add(archive(f, symlink("a", "/b"), file("a/x", "y"), file(".wh.a", "")), uint16(3), true)
	f.Fuzz(func(t *testing.T, data []byte, cut uint16, debian bool) {
		root, check := fuzzRoot(t)
		tree, err := newTree(root, newBudget(fuzzLimits), &notes{})
		if err != nil {
			t.Fatal(err)
		}
		at := min(int(cut)*512, len(data))
		for _, part := range [][]byte{data[:at], data[at:]} {
			l := layer{tree: tree, made: map[string]struct{}{}, debian: debian}
			_ = l.apply(&bounded{ctx: t.Context(), r: bytes.NewReader(part), b: tree.budget})
		}
		if err := tree.finish(); err != nil {
			t.Error(err)
		}
		check()
	})
}

// FuzzDeb reads a package.
func FuzzDeb(f *testing.F) {
	f.Add(deb(f, "app", "1", file("./opt/a", "a")))
	f.Add(arArchive(member{"debian-binary", []byte("2.0\n")}, member{"control.tar", control(f, "Package: a1\nVersion: 1\nArchitecture: all\n")}, member{"data.tar", archive(f, file("a", "b"))}))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, check := fuzzRoot(t)
		tree, err := newTree(root, newBudget(fuzzLimits), &notes{})
		if err != nil {
			t.Fatal(err)
		}
		info, err := readDeb(t.Context(), bytes.NewReader(data), int64(len(data)), tree.budget, func(_ debInfo, r io.Reader) error {
			l := layer{tree: tree, made: map[string]struct{}{}, debian: true}
			return l.apply(r)
		})
		if err == nil && (!debName.MatchString(info.name) || info.arch == "") {
			t.Errorf("%+v", info)
		}
		if err := tree.finish(); err != nil {
			t.Error(err)
		}
		check()
	})
}

// FuzzObject reads a program.
func FuzzObject(f *testing.F) {
	f.Add([]byte(binaryFile(ldLinux, "$ORIGIN", "liba.so")))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := readObject(bytes.NewReader(data)); o != nil && len(o.needed) > maxNeeded {
			t.Errorf("%d libraries", len(o.needed))
		}
	})
}

// FuzzSelection reads a list of packages.
func FuzzSelection(f *testing.F) {
	f.Add("nginx=1\n+ usr/**\n- a\n@depends\nx/y.deb\n@libraries /x\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSelection(text, "/dir")
		if err != nil {
			return
		}
		for _, e := range s.entries {
			if e.file == "" && (!debName.MatchString(e.name) || strings.HasPrefix(e.key(), "-")) || e.file != "" && !filepath.IsAbs(e.file) {
				t.Errorf("%+v", e)
			}
		}
		for _, r := range s.take {
			r.pattern.matches("usr/share/doc")
		}
	})
}

// FuzzIndex reads the documents of an image layout.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:00","size":1}]}`), "tag")
	f.Add([]byte(`{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0,"annotations":{"org.opencontainers.image.ref.name":"tag"}}]}`), "tag")
	f.Fuzz(func(t *testing.T, data []byte, tag string) {
		m := newImage(t)
		m.write("index.json", data)
		m.write("blobs/sha256/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", nil)
		if d, err := chooseManifest(m.dir, tag); err == nil {
			if _, _, _, err := d.Digest.parse(); err == nil && d.MediaType == "" {
				t.Errorf("%+v", d)
			}
		}
	})
}

// FuzzEntries applies layers that are written as text, one entry a line, so
// that it needs no luck to make well-formed archives: a letter for the type, the
// name, a tab, the target. A line "-" begins the next layer.
func FuzzEntries(f *testing.F) {
	f.Add("sa\t..\n-\nfa/victim\t\nha/b\ta/victim", false)
	f.Add("da\t\nfa/b\t\n-\nfa/.wh..wh..opq\t\nsa/b\t/c\nfa/b/d\t\nf.wh.a\t", false)
	f.Add("sx\t/y\nsy\tx\nfx/z\t\ndx\t\nhx\ty", true)
	types := map[byte]byte{'d': tar.TypeDir, 'f': tar.TypeReg, 's': tar.TypeSymlink, 'h': tar.TypeLink, 'c': tar.TypeChar}
	f.Fuzz(func(t *testing.T, script string, debian bool) {
		root, check := fuzzRoot(t)
		tree, err := newTree(root, newBudget(fuzzLimits), &notes{})
		if err != nil {
			t.Fatal(err)
		}
		l := layer{tree: tree, made: map[string]struct{}{}, debian: debian}
		for line := range strings.SplitSeq(script, "\n") {
			if line == "-" {
				l.made = map[string]struct{}{}
				continue
			}
			if line == "" || types[line[0]] == 0 {
				continue
			}
			name, target, _ := strings.Cut(line[1:], "\t")
			h := &tar.Header{Typeflag: types[line[0]], Name: name, Linkname: target, Mode: 0o644, ModTime: clock, Size: 1}
			if h.Typeflag != tar.TypeReg {
				h.Size = 0
			}
			if l.entry(h, strings.NewReader("x")) != nil {
				break
			}
		}
		if err := tree.finish(); err != nil {
			t.Error(err)
		}
		check()
	})
}
