package spk_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm/internal/spk"
	"github.com/sandstorm-go/sandstorm/internal/spk/xz"
	"github.com/sandstorm-go/sandstorm/schema"
)

var magicNumber = []byte{0x8f, 0xc6, 0xcd, 0xef, 0x45, 0x1a, 0xea, 0x96}

func sign(archive []byte) (key, signed []byte) {
	digest := sha512.Sum512(archive)
	return testKey().Public().(ed25519.PublicKey), append(ed25519.Sign(testKey(), digest[:]), digest[:]...)
}

func signatureOf(t testing.TB, key, signed []byte) []byte {
	t.Helper()
	msg, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		t.Fatal(err)
	}
	sig := must(schema.NewRootSignature(seg))
	if key != nil {
		_ = sig.SetPublicKey(key)
	}
	if signed != nil {
		_ = sig.SetSignature(signed)
	}
	return must(msg.Marshal())
}

func compress(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	out := bytes.NewBuffer(bytes.Clone(magicNumber))
	z := xz.NewWriter(out)
	for _, p := range parts {
		if _, err := z.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// seal makes a package of any bytes, properly signed.
func seal(t testing.TB, archive []byte) []byte {
	t.Helper()
	key, signed := sign(archive)
	return compress(t, signatureOf(t, key, signed), archive)
}

// archiveOf builds an archive that Write would refuse.
func archiveOf(t testing.TB, n int, fill func(schema.Archive_File_List)) []byte {
	t.Helper()
	msg, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		t.Fatal(err)
	}
	fill(must(must(schema.NewRootArchive(seg)).NewFiles(int32(n))))
	return must(msg.Marshal())
}

// wantNoTree unpacks and checks that it fails for the right reason and leaves
// nothing, neither inside nor outside of the directory.
func wantNoTree(t testing.TB, what string, file []byte, key string) {
	t.Helper()
	base := t.TempDir()
	if err := os.Mkdir(filepath.Join(base, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	opts := spk.OpenOptions{TempDir: filepath.Join(base, "tmp")}
	_, err := spk.Unpack(context.Background(), bytes.NewReader(file), filepath.Join(base, "out"), opts)
	wantKey(t, what, err, key)
	var left []string
	_ = filepath.WalkDir(base, func(path string, _ os.DirEntry, _ error) error {
		left = append(left, strings.TrimPrefix(path, base))
		return nil
	})
	if got := strings.Join(left, " "); got != " /tmp" {
		t.Errorf("%s: left behind %.200q", what, got)
	}
	if _, err := spk.Verify(context.Background(), bytes.NewReader(file), opts); err == nil {
		t.Errorf("%s: Verify found nothing wrong", what)
	}
}

func TestBadContainers(t *testing.T) {
	good := pack(t, spk.NewFile("run", []byte("hi\n"), true))
	archive := archiveOf(t, 1, func(l schema.Archive_File_List) { named(l.At(0), spk.ManifestName, nil) })
	key, signed := sign(archive)
	foreign := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32)).Public().(ed25519.PublicKey)
	weak := make([]byte, 32)
	weak[0] = 1
	long := append([]byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f}, archive...)
	for _, tt := range []struct {
		name, key string
		file      []byte
	}{
		{"empty", "package.not-a-package", nil},
		{"short", "package.not-a-package", good[:7]},
		{"zip", "package.not-a-package", append([]byte("PK\x03\x04PK\x03\x04"), good[8:]...)},
		{"only magic", "package.damaged", good[:8]},
		{"no xz", "package.damaged", append(bytes.Clone(magicNumber), archive...)},
		{"junk at the end", "package.damaged", append(bytes.Clone(good), "junk"...)},
		{"uneven padding", "package.damaged", append(bytes.Clone(good), 0)},
		{"nothing inside", "package.damaged", compress(t)},
		{"signature cut", "package.damaged", compress(t, signatureOf(t, key, signed)[:100])},
		{"signature of 2 GiB", "package.bad-signature", compress(t, long)},
		{"signature of 2^32 segments", "package.bad-signature", compress(t, []byte("\xff\xff\xff\xff"), archive)},
		{"signature of 2^31 segments", "package.bad-signature", compress(t, []byte("\xfe\xff\xff\x7f"), archive)},
		{"no key", "package.bad-signature", compress(t, signatureOf(t, nil, signed), archive)},
		{"short key", "package.bad-signature", compress(t, signatureOf(t, key[:31], signed), archive)},
		{"no signature", "package.bad-signature", compress(t, signatureOf(t, key, nil), archive)},
		{"bare signature", "package.bad-signature", compress(t, signatureOf(t, key, signed[:64]), archive)},
		{"foreign key", "package.bad-signature", compress(t, signatureOf(t, foreign, signed), archive)},
		{"weak key", "package.bad-signature", compress(t, signatureOf(t, weak, signed), archive)},
		{"other digest", "package.bad-signature", compress(t, signatureOf(t, key, append(bytes.Clone(signed[:127]), 1)), archive)},
		{"archive cut", "package.damaged", compress(t, signatureOf(t, key, signed), archive[:len(archive)-8])},
		{"archive with more", "package.damaged", compress(t, signatureOf(t, key, signed), archive, []byte{0})},
		{"no archive", "package.damaged", compress(t, signatureOf(t, key, signed))},
		{"empty archive", "package.bad-archive", seal(t, nil)},
		{"archive of noise", "package.bad-archive", seal(t, bytes.Repeat([]byte{0xa5}, 4096))},
		{"archive of 2^32 segments", "package.bad-archive", seal(t, append([]byte("\xff\xff\xff\xff"), archive...))},
		{"archive larger than it is", "package.bad-archive", seal(t, long)},
	} {
		t.Run(tt.name, func(t *testing.T) { wantNoTree(t, tt.name, tt.file, tt.key) })
	}
}

// Bytes after the archive's message are signed but ignored.
func TestBytesAfterTheArchive(t *testing.T) {
	archive := archiveOf(t, 1, func(l schema.Archive_File_List) { named(l.At(0), spk.ManifestName, nil) })
	file := seal(t, append(archive, "trailing"...))
	if _, err := spk.Verify(context.Background(), bytes.NewReader(file), spk.OpenOptions{}); err != nil {
		t.Error(err)
	}
}

// Every byte of a package is covered by some check, whichever class of offset
// it is of: magic, xz header, blocks, index, footer.
func TestDamagedFiles(t *testing.T) {
	good := pack(t, spk.NewFile("run", bytes.Repeat([]byte("some content "), 20), true))
	temp := spk.OpenOptions{TempDir: t.TempDir()}
	verify := func(file []byte) error {
		_, err := spk.Verify(context.Background(), bytes.NewReader(file), temp)
		return err
	}
	want := must(spk.Verify(context.Background(), bytes.NewReader(good), temp)).PackageID
	for i := range good {
		if err := verify(good[:i]); err == nil {
			t.Fatalf("cut at %d of %d: accepted", i, len(good))
		}
		for _, bit := range []byte{1, 0x20, 0x80} {
			broken := bytes.Clone(good)
			broken[i] ^= bit
			if err := verify(broken); err == nil {
				// A flip that changes no decompressed byte makes another file
				// of the same app, with an id of its own.
				info := must(spk.Verify(context.Background(), bytes.NewReader(broken), temp))
				if info.PackageID == want {
					t.Fatalf("bit %#x of byte %d of %d: accepted", bit, i, len(good))
				}
			}
		}
	}
}

// zeros reads as that many zero bytes.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.left))
	clear(p[:n])
	z.left -= int64(n)
	return n, nil
}

// A few kilobytes of xz data can stand for any number of zeros.
func TestSizeBomb(t *testing.T) {
	if spk.MaxArchive != 1<<30 {
		t.Error("the format's limit is 2^30 bytes")
	}
	const limit = 8 << 20
	key, signed := sign(nil)
	file := bytes.NewBuffer(compress(t, signatureOf(t, key, signed)))
	z := xz.NewWriter(file)
	if _, err := io.Copy(z, &zeros{limit + 1}); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	_, err := spk.Verify(context.Background(), file, spk.OpenOptions{TempDir: temp}.WithLimits(limit, 1<<20))
	wantKey(t, "one byte too many", err, "package.too-large")
	if left, _ := os.ReadDir(temp); len(left) != 0 {
		t.Errorf("left behind %v", left)
	}
}

// Empty streams and padding make a file endless without making it larger inside.
func TestPaddingBomb(t *testing.T) {
	key, signed := sign(nil)
	head := compress(t, signatureOf(t, key, signed))
	_, err := spk.Verify(context.Background(), io.MultiReader(bytes.NewReader(head), &zeros{1 << 40}), spk.OpenOptions{}.WithLimits(1<<20, 64<<20))
	wantKey(t, "endless padding", err, "package.too-large")
}

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
