package spk_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha512"
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
