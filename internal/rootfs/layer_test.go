package rootfs

import (
	"archive/tar"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type entries = []tar.Header

// TestLayers stacks layers and compares what comes out.
func TestLayers(t *testing.T) {
	for _, c := range []struct {
		name   string
		layers []entries
		want   string
	}{
		{
			"later layers win",
			[]entries{{dir("a"), file("a/f", "old"), file("a/g", "g")}, {file("a/f", "new")}},
			"a/\na/f = new\na/g = g",
		},
		{
			"directories that are only implied",
			[]entries{{file("a/b/c", "c")}},
			"a/\na/b/\na/b/c = c",
		},
		{
			"a file is removed",
			[]entries{{file("a/f", "f"), file("a/g", "g")}, {file("a/.wh.f", "")}},
			"a/\na/g = g",
		},
		{
			"a directory is removed",
			[]entries{{file("a/b/f", "f"), file("a/g", "g")}, {file("a/.wh.b", "")}},
			"a/\na/g = g",
		},
		{
			"what is removed and what is not there",
			[]entries{{file("f", "f")}, {file("nowhere/.wh.x", ""), file(".wh.nothing", "")}},
			"f = f",
		},
		{
			"an opaque directory hides what lower layers have",
			[]entries{{file("a/f", "f"), file("a/b/g", "g")}, {dir("a"), file("a/.wh..wh..opq", ""), file("a/h", "h")}},
			"a/\na/h = h",
		},
		{
			"wherever in the archive its mark stands",
			[]entries{{file("a/f", "f"), file("a/b/g", "g"), file("a/b/k", "k")}, {file("a/h", "h"), file("a/b/k", "new"), file("a/.wh..wh..opq", "")}},
			"a/\na/b/\na/b/k = new\na/h = h",
		},
		{
			"a whiteout does not remove what its own layer has",
			[]entries{{file("a/f", "old"), file("a/d/x", "x")}, {file("a/f", "new"), file("a/d/y", "y"), file("a/.wh.f", ""), file("a/.wh.d", "")}},
			"a/\na/d/\na/d/y = y\na/f = new",
		},
		{
			"a file becomes a directory and a file again",
			[]entries{{file("a", "file")}, {dir("a"), file("a/b", "b")}, {file("a", "again")}},
			"a = again",
		},
		{
			"a directory becomes a symlink, then a directory",
			[]entries{{file("a/b", "b"), dir("c")}, {symlink("a", "c")}, {dir("a"), file("a/d", "d")}},
			"a/\na/d = d\nc/",
		},
		{
			"hard links, within a layer and to a lower one",
			[]entries{{file("f", "f"), hardlink("g", "f")}, {hardlink("./h", "./g"), file("f", "new")}},
			"f = new\ng = f\nh = f",
		},
		{
			"a hard link to a symlink is that symlink",
			[]entries{{symlink("s", "/etc/passwd"), hardlink("t", "s")}},
			"s -> /etc/passwd\nt -> /etc/passwd",
		},
		{
			"entries go where a symlink of a lower layer leads, within the root",
			[]entries{{dir("usr/lib"), symlink("lib", "usr/lib"), symlink("abs", "/usr"), symlink("up", "../../../usr")}, {file("lib/a", "a"), file("abs/b", "b"), file("up/c", "c")}},
			"abs -> /usr\nlib -> usr/lib\nup -> ../../../usr\nusr/\nusr/b = b\nusr/c = c\nusr/lib/\nusr/lib/a = a",
		},
		{
			"a symlink to nothing becomes a directory's name",
			[]entries{{symlink("a", "/b/c")}, {file("a/d", "d")}},
			"a -> /b/c\nb/\nb/c/\nb/c/d = d",
		},
		{
			"names with dots and slashes, absolute names",
			[]entries{{file("./a//b/./c", "c"), file("/d", "d"), dir("./")}},
			"a/\na/b/\na/b/c = c\nd = d",
		},
		{
			"devices and pipes are left away, what they replace goes",
			[]entries{{file("dev2/null", "x"), file("p", "x")}, {
				{Typeflag: tar.TypeChar, Name: "dev2/null", Mode: 0o666, Devmajor: 1, Devminor: 3},
				hardlink("null2", "dev2/null"),
				{Typeflag: tar.TypeFifo, Name: "p", Mode: 0o666},
			}},
			"dev2/",
		},
		{
			"modes are what a package can hold",
			[]entries{{
				{Typeflag: tar.TypeDir, Name: "d", Mode: 0},
				{Typeflag: tar.TypeReg, Name: "d/none", Mode: 0},
				{Typeflag: tar.TypeReg, Name: "d/suid", Mode: 0o4755},
				{Typeflag: tar.TypeReg, Name: "d/group", Mode: 0o2610},
			}},
			"d/\nd/group* = \nd/none = \nd/suid* = ",
		},
		{
			"an aufs driver's own files",
			[]entries{{file("a/.wh..wh.plnk", ""), file("a/b", "b")}},
			"a/\na/b = b",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newImage(t)
			for _, l := range c.layers {
				m.layer(l...)
			}
			root, _, err := m.unpack()
			if err != nil {
				t.Fatal(err)
			}
			if got := list(t, root); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestHostileLayers tries to get out of the root, or to use up the machine.
func TestHostileLayers(t *testing.T) {
	outside := t.TempDir()
	victim := filepath.Join(outside, "victim")
	if err := os.WriteFile(victim, []byte("unharmed"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		layers []entries
		err    string // empty if it is harmless
	}{
		{"dots", []entries{{file("../../../../../../../.."+victim, "x")}}, "leads out"},
		{"dots inside", []entries{{dir("a"), file("a/../../x", "x")}}, "leads out"},
		{"hard link by dots", []entries{{hardlink("a", "../../../../../.."+victim), file("a", "x")}}, "leads out"},
		{"hard link by an absolute name", []entries{{hardlink("a", victim)}}, "not there"},
		{"hard link through a symlink", []entries{{symlink("s", outside), hardlink("a", "s/victim")}}, "not there"},
		{"symlink, then its name in a later layer", []entries{{symlink("s", outside)}, {file("s/victim", "x")}}, ""},
		{"relative symlink, then its name", []entries{{symlink("s", "../../../../../../.."+outside)}, {file("s/victim", "x")}}, ""},
		{"symlink to the file itself", []entries{{symlink("s", victim)}, {file("s", "x")}}, ""},
		{"symlink behind a symlink", []entries{{symlink("a", "b"), symlink("b", outside)}, {file("a/victim", "x")}}, ""},
		{"whiteout through a symlink", []entries{{symlink("s", outside)}, {file("s/.wh.victim", "")}}, ""},
		{"opaque through a symlink", []entries{{symlink("s", outside)}, {file("s/.wh..wh..opq", "")}}, ""},
		{"whiteout of the parent", []entries{{file("a/b/c", "c")}, {file("a/b/.wh...", "")}}, "removes nothing"},
		{"whiteout of itself", []entries{{file("a/b/c", "c")}, {file("a/b/.wh..", "")}}, "removes nothing"},
		{"whiteout without a name", []entries{{file("a/.wh.", "")}}, "removes nothing"},
		{"symlinks in a circle", []entries{{symlink("a", "b"), symlink("b", "a")}, {file("a/f", "x")}}, "more than 40 symlinks"},
		{"a file as a directory", []entries{{file("a", "x"), file("a/b", "x")}}, "not a directory"},
		{"the root as a file", []entries{{file(".", "x")}}, "is the root"},
		{"the root as a symlink", []entries{{symlink("./", outside)}}, "is the root"},
		{"hard link to a directory", []entries{{dir("a"), hardlink("b", "a")}}, "the directory"},
		{"a long name", []entries{{file(strings.Repeat("n", 256), "x")}}, "too long"},
		{"a deep path", []entries{{file(strings.Repeat("d/", 101)+"f", "x")}}, "directories deep"},
		{"a symlink to a long path", []entries{{symlink("s", strings.Repeat("a/", 2048))}}, "target"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newImage(t)
			for _, l := range c.layers {
				m.layer(l...)
			}
			root, _, err := m.unpack()
			if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got %v, want an error with %q", err, c.err)
			} else if c.err == "" && err != nil {
				t.Error(err)
			}
			if b, err := os.ReadFile(victim); err != nil || string(b) != "unharmed" {
				t.Fatalf("a file outside of the root: %q, %v", b, err)
			}
			if found, _ := os.ReadDir(outside); len(found) != 1 {
				t.Fatalf("something was written outside of the root: %v", found)
			}
			_ = root
		})
	}
}

// TestReplacingBreaksLinks: a file that has a name in a lower
// layer is replaced, never written through to its other names.
func TestReplacingBreaksLinks(t *testing.T) {
	m := newImage(t).layer(file("a", "one"), hardlink("b", "a")).layer(file("b", "two"))
	root, _, err := m.unpack()
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, root); got != "a = one\nb = two" {
		t.Error(got)
	}
}

func TestBounds(t *testing.T) {
	many := entries{}
	for i := range 20 {
		many = append(many, file(fmt.Sprint("f", i), "x"))
	}
	for _, c := range []struct {
		name   string
		layers []entries
		opts   Options
		err    string
	}{
		{"too many files", []entries{many[:10], many[10:]}, Options{MaxEntries: 19}, "more than 19 files"},
		{"just enough files", []entries{many}, Options{MaxEntries: 20}, ""},
		{"too many bytes", []entries{{file("a", "12345"), file("b", "12345")}, {file("a", "1")}}, Options{MaxBytes: 10}, "more than 10 bytes"},
		{"just enough bytes", []entries{{file("a", "12345"), file("b", "12345")}}, Options{MaxBytes: 10}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newImage(t)
			for _, l := range c.layers {
				m.layer(l...)
			}
			m.index(m.manifest())
			_, _, err := m.unpackAs("oci:"+m.dir, c.opts)
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}

// TestBomb: a layer that is small as long as it is compressed.
func TestBomb(t *testing.T) {
	m := newImage(t).layer(file("a", "a"))
	// After the archive's end nothing is a file any more.
	m.rawLayer(append(archive(t, file("b", "b")), make([]byte, 4<<20)...))
	m.index(m.manifest())
	_, _, err := m.unpackAs("oci:"+m.dir, Options{MaxBytes: 1 << 20, MaxEntries: 100})
	if err == nil || !strings.Contains(err.Error(), "when decompressed") {
		t.Error(err)
	}
}
