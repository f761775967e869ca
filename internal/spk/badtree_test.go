package spk_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm/internal/spk"
	"github.com/sandstorm-go/sandstorm/schema"
)

func named(f schema.Archive_File, name string, content []byte) {
	_ = f.SetName(name)
	_ = f.SetRegular(content)
}

func link(f schema.Archive_File, name, target string) {
	_ = f.SetName(name)
	_ = f.SetSymlink(target)
}

func dir(f schema.Archive_File, name string, n int) schema.Archive_File_List {
	_ = f.SetName(name)
	return must(f.NewDirectory(int32(n)))
}

// badArchive wraps entries that must be refused together with a manifest.
func badArchive(t *testing.T, name string, n int, fill func(schema.Archive_File_List)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		file := seal(t, archiveOf(t, n+1, func(l schema.Archive_File_List) {
			named(l.At(n), spk.ManifestName, nil)
			fill(l)
		}))
		wantNoTree(t, name, file, "package.bad-archive")
	})
}

func TestBadNames(t *testing.T) {
	for _, name := range []string{
		"", ".", "..", "/", "/etc", "a/b", "../x", "a/", "a\x00b", "\x00", strings.Repeat("n", 256),
	} {
		badArchive(t, fmt.Sprintf("file %.20q", name), 1, func(l schema.Archive_File_List) { named(l.At(0), name, nil) })
		badArchive(t, fmt.Sprintf("below %.20q", name), 1, func(l schema.Archive_File_List) { link(dir(l.At(0), "d", 1).At(0), name, "x") })
		badArchive(t, fmt.Sprintf("directory %.20q", name), 1, func(l schema.Archive_File_List) { dir(l.At(0), name, 0) })
	}
}

func TestBadTrees(t *testing.T) {
	badArchive(t, "duplicate file", 2, func(l schema.Archive_File_List) {
		named(l.At(0), "a", []byte("1"))
		named(l.At(1), "a", []byte("2"))
	})
	// The classic: a symlink out, then a file through it.
	badArchive(t, "file through symlink", 2, func(l schema.Archive_File_List) {
		link(l.At(0), "a", "/tmp")
		named(dir(l.At(1), "a", 1).At(0), "escaped", nil)
	})
	badArchive(t, "symlink over directory", 2, func(l schema.Archive_File_List) {
		dir(l.At(0), "a", 0)
		link(l.At(1), "a", "..")
	})
	badArchive(t, "empty target", 1, func(l schema.Archive_File_List) { link(l.At(0), "a", "") })
	badArchive(t, "target with NUL", 1, func(l schema.Archive_File_List) { link(l.At(0), "a", "b\x00c") })
	badArchive(t, "long target", 1, func(l schema.Archive_File_List) { link(l.At(0), "a", strings.Repeat("x", 4096)) })
	badArchive(t, "unknown kind", 1, func(l schema.Archive_File_List) {
		named(l.At(0), "a", nil)
		capnp.Struct(l.At(0)).SetUint16(0, 4)
	})
	badArchive(t, "content is a struct", 1, func(l schema.Archive_File_List) {
		named(l.At(0), "a", nil)
		_ = capnp.Struct(l.At(0)).SetPtr(1, capnp.Struct(l.At(0)).ToPtr())
	})
	badArchive(t, "directory is data", 1, func(l schema.Archive_File_List) {
		named(l.At(0), "a", []byte("x"))
		_ = capnp.Struct(l.At(0)).SetPtr(1, capnp.Struct(l.At(0)).ToPtr())
		capnp.Struct(l.At(0)).SetUint16(0, 3)
	})
	badArchive(t, "path of 5000 bytes", 1, func(l schema.Archive_File_List) { nest(l, 25, strings.Repeat("n", 200)) })
	badArchive(t, "64 levels", 1, func(l schema.Archive_File_List) { nest(l, 64, "d") })
	badArchive(t, "2000 levels", 1, func(l schema.Archive_File_List) { nest(l, 2000, "d") })
	badArchive(t, "10^8 entries without a byte", 1, func(l schema.Archive_File_List) {
		_ = l.At(0).SetName("d")
		l.At(0).SetDirectory(schema.Archive_File_List{})
		void := capnp.NewVoidList(capnp.Struct(l.At(0)).Segment(), 100_000_000)
		_ = capnp.Struct(l.At(0)).SetPtr(1, void.ToPtr())
		capnp.Struct(l.At(0)).SetUint16(0, 3)
	})
	// One list of files that is its own child would unpack for ever.
	badArchive(t, "directory in itself", 1, func(l schema.Archive_File_List) {
		inner := dir(l.At(0), "d", 1)
		dir(inner.At(0), "d", 0)
		_ = capnp.Struct(inner.At(0)).SetPtr(1, inner.ToPtr())
	})
	// One large file that is in the archive once, but in the tree 1000 times.
	badArchive(t, "shared content", 1000, func(l schema.Archive_File_List) {
		named(l.At(0), "f", bytes.Repeat([]byte("x"), 1<<20))
		content := must(capnp.Struct(l.At(0)).Ptr(1))
		for i := 1; i < 1000; i++ {
			named(l.At(i), fmt.Sprint("f", i), nil)
			_ = capnp.Struct(l.At(i)).SetPtr(1, content)
		}
	})
}

func nest(l schema.Archive_File_List, levels int, name string) {
	for range levels {
		l = dir(l.At(0), name, 1)
	}
	named(l.At(0), "f", nil)
}

// Sixty levels are fine; the original's readers broke earlier once.
func TestDeepTree(t *testing.T) {
	file := seal(t, archiveOf(t, 2, func(l schema.Archive_File_List) {
		named(l.At(1), spk.ManifestName, nil)
		nest(l, 62, "d")
	}))
	if _, err := spk.Unpack(context.Background(), bytes.NewReader(file), filepath.Join(t.TempDir(), "out"), spk.OpenOptions{}); err != nil {
		t.Error(err)
	}
	deep := spk.NewFile("f", nil, false)
	if err := spk.NewDirectory("").PutAt(strings.Repeat("d/", 59)+"d", deep); err != nil {
		t.Fatal(err)
	}
}

// The server mounts over these and reads these: none may lead elsewhere.
func TestSymlinksAtNamesOfOurs(t *testing.T) {
	for _, name := range []string{"dev", "tmp", "var", "proc", spk.BridgeConfigName} {
		badArchive(t, name, 1, func(l schema.Archive_File_List) { link(l.At(0), name, "/etc") })
	}
	badArchive(t, "proc/cpuinfo", 1, func(l schema.Archive_File_List) { link(dir(l.At(0), "proc", 1).At(0), "cpuinfo", "/etc/passwd") })
	badArchive(t, "dev is a file", 1, func(l schema.Archive_File_List) { named(l.At(0), "dev", nil) })
	badArchive(t, "cpuinfo is a directory", 1, func(l schema.Archive_File_List) { dir(dir(l.At(0), "proc", 1).At(0), "cpuinfo", 0) })

	// Elsewhere, and with other targets, symlinks are none of our business.
	ok := seal(t, archiveOf(t, 4, func(l schema.Archive_File_List) {
		named(l.At(0), spk.ManifestName, nil)
		link(dir(l.At(1), "proc", 1).At(0), "mounts", "self/mounts")
		link(l.At(2), "etc", "/var/etc")
		link(dir(l.At(3), "usr", 1).At(0), "dev", "../../../outside")
	}))
	if _, err := spk.Unpack(context.Background(), bytes.NewReader(ok), filepath.Join(t.TempDir(), "out"), spk.OpenOptions{}); err != nil {
		t.Error(err)
	}
}

func TestManifestMustBeAFile(t *testing.T) {
	for name, fill := range map[string]func(schema.Archive_File){
		"missing":    func(f schema.Archive_File) { named(f, "other", nil) },
		"symlink":    func(f schema.Archive_File) { link(f, spk.ManifestName, "/etc/passwd") },
		"directory":  func(f schema.Archive_File) { dir(f, spk.ManifestName, 0) },
		"executable": func(f schema.Archive_File) { _ = f.SetName(spk.ManifestName); _ = f.SetExecutable(nil) },
	} {
		file := seal(t, archiveOf(t, 1, func(l schema.Archive_File_List) { fill(l.At(0)) }))
		wantNoTree(t, name, file, "package.bad-archive")
	}
}

func TestTimesBefore1970(t *testing.T) {
	for _, ns := range []int64{-1, -1e9, -1500000000123456789, 0, 1} {
		file := seal(t, archiveOf(t, 1, func(l schema.Archive_File_List) {
			named(l.At(0), spk.ManifestName, nil)
			l.At(0).SetLastModificationTimeNs(ns)
		}))
		out := filepath.Join(t.TempDir(), "out")
		if _, err := spk.Unpack(context.Background(), bytes.NewReader(file), out, spk.OpenOptions{}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(out, spk.ManifestName))
		if err != nil || info.ModTime().UnixNano() != ns {
			t.Errorf("%d became %d, %v", ns, info.ModTime().UnixNano(), err)
		}
	}
}

func TestUnpackNeedsANewDirectory(t *testing.T) {
	out := t.TempDir()
	keep := filepath.Join(out, "keep")
	if err := os.WriteFile(keep, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := spk.Unpack(context.Background(), bytes.NewReader(pack(t)), out, spk.OpenOptions{}); err == nil {
		t.Error("an existing directory was unpacked to")
	}
	if _, err := os.Stat(keep); err != nil {
		t.Error("what was there is gone:", err)
	}
}
