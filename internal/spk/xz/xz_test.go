package xz_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sandstorm-go/sandstorm/internal/spk/xz"
)

// run passes data through the xz command.
func run(t testing.TB, data []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("xz", args...)
	cmd.Stdin = bytes.NewReader(data)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("xz %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return out
}

func decode(data []byte) ([]byte, error) {
	z, err := xz.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return io.ReadAll(z)
}

// sample makes n bytes with all kinds of matches, literals and noise in them.
func sample(n int) []byte {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	out := make([]byte, 0, n+1<<16)
	for len(out) < n {
		switch k := rnd.IntN(min(1<<12, n/16+2)); rnd.IntN(6) {
		case 0: // noise
			for range k {
				out = append(out, byte(rnd.Uint32()))
			}
		case 1: // a run, also of short periods
			out = append(out, bytes.Repeat([]byte("abcdefghijklmnopq")[:1+k%17], k)...)
		case 2, 3: // something from before
			if len(out) > 0 {
				from := rnd.IntN(len(out))
				out = append(out, out[from:min(from+k, len(out))]...)
			}
		default: // text
			for range k / 8 {
				out = append(out, []string{"grain ", "sand", "storm", ", ", "the ", "\n"}[rnd.IntN(6)]...)
			}
		}
	}
	return out[:n]
}

func TestReadsWhatXZWrites(t *testing.T) {
	data := sample(3 << 20)
	for _, args := range [][]string{
		{"-T1"},
		{"-T2", "--block-size=300KiB"},
		{"-0", "--check=none"},
		{"--check=crc32"},
		{"-9e", "--check=sha256"},
		{"-T2", "--block-size=1MiB", "--check=sha256"},
		{"-T2", "--block-size=1MiB", "--check=none"},
		{"--lzma2=preset=6,lc=4,lp=0,pb=0"},
		{"--lzma2=preset=6,lc=0,lp=4,pb=4"},
		{"--lzma2=preset=6,lc=1,lp=2,pb=3,nice=273"},
		{"--lzma2=preset=1,dict=4KiB"},
		{"--lzma2=preset=6,dict=1536KiB"},
		{"--block-list=1,2,3,4095,4096,65536,65537,0"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			packed := run(t, data, append([]string{"-c"}, args...)...)
			got, err := decode(packed)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

// The window of a block whose sizes are not known slides over the data.
func TestSlidingWindow(t *testing.T) {
	data := sample(11 << 20)
	for _, args := range [][]string{{"-c0T1"}, {"-cT1", "--lzma2=preset=0,dict=4KiB"}, {"-cT1", "--lzma2=preset=0,dict=1MiB"}} {
		got, err := decode(run(t, data, args...))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%v: %d bytes, %v", args, len(got), err)
		}
	}
}

func TestSmallAndOdd(t *testing.T) {
	for _, n := range []int{0, 1, 2, 5, 273, 4096, 65535, 65536, 65537} {
		for _, data := range [][]byte{make([]byte, n), sample(n)} {
			packed := run(t, data, "-c")
			got, err := decode(packed)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes: got %d, %v", n, len(got), err)
			}
			z, err := xz.NewReader(iotest.OneByteReader(bytes.NewReader(packed)))
			if err != nil {
				t.Fatal(err)
			}
			if err := iotest.TestReader(z, data); n <= 4096 && err != nil {
				t.Errorf("%d bytes: %v", n, err)
			}
			z.Close()
		}
	}
}

func TestConcatenatedStreams(t *testing.T) {
	one, two := run(t, []byte("one"), "-c"), run(t, []byte("two"), "-c", "--check=sha256", "-T2", "--block-size=2")
	for padding, ok := range map[string]bool{"": true, "\x00\x00\x00\x00": true, strings.Repeat("\x00", 512): true, "\x00": false, "\x00\x00": false, "\x00\x00\x00\x00\x00\x00": false, "junk": false, "\xfd7zX": false} {
		for _, end := range []bool{false, true} {
			data := append(append(bytes.Clone(one), padding...), two...)
			want := "onetwo"
			if end {
				data, want = append(append(bytes.Clone(one), two...), padding...), "onetwo"
			} else if padding == "\xfd7zX" {
				continue
			}
			got, err := decode(data)
			if ok != (err == nil) || (ok && string(got) != want) || (!ok && !errors.Is(err, xz.ErrFormat)) {
				t.Errorf("padding %q, at the end %v: %q, %v", padding, end, got, err)
			}
		}
	}
}

func TestUnsupported(t *testing.T) {
	for _, args := range [][]string{{"-c", "--x86", "--lzma2"}, {"-c", "--delta=dist=2", "--lzma2"}} {
		if _, err := decode(run(t, sample(1000), args...)); !errors.Is(err, xz.ErrUnsupported) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := decode(run(t, sample(1000), "-c", "--format=lzma")); !errors.Is(err, xz.ErrFormat) {
		t.Errorf("lzma: %v", err)
	}
}

// withDict changes the dictionary size in the first block's header.
func withDict(t testing.TB, packed []byte, code byte) []byte {
	t.Helper()
	out := bytes.Clone(packed)
	head := out[12 : 12+4*(int(out[12])+1)]
	i := bytes.Index(head, []byte{0x21, 1})
	head[i+2] = code
	binary.LittleEndian.PutUint32(head[len(head)-4:], crc32.ChecksumIEEE(head[:len(head)-4]))
	return out
}

// A file of a few bytes must not make its reader take gigabytes.
func TestDictionaryLimit(t *testing.T) {
	data := sample(1000)
	packed := run(t, data, "-c")
	for code, ok := range map[byte]bool{0: true, 28: true, 32: true, 33: false, 37: false, 40: false} { // 32 is 256 MiB
		packed := withDict(t, packed, code)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := decode(packed)
		runtime.ReadMemStats(&after)
		if ok && (err != nil || !bytes.Equal(got, data)) || !ok && !errors.Is(err, xz.ErrMemory) {
			t.Errorf("dictionary %d: %v", code, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
			t.Errorf("dictionary %d: %d bytes were allocated", code, used)
		}
	}
}

// No damage goes unnoticed, and none makes the reader panic.
func TestDamage(t *testing.T) {
	data := sample(2500)
	for _, args := range [][]string{{"-cT1"}, {"-cT2", "--block-size=1000"}, {"-cT2", "--block-size=1100", "--check=sha256"}} {
		packed := run(t, data, args...)
		for i := range packed {
			if _, err := decode(packed[:i]); !errors.Is(err, xz.ErrFormat) {
				t.Fatalf("%v: cut at %d of %d: %v", args, i, len(packed), err)
			}
			for _, bit := range []byte{1, 0x40} {
				broken := bytes.Clone(packed)
				broken[i] ^= bit
				// A flipped bit that changes nothing, as in a property that
				// did not matter here, is no damage.
				if got, err := decode(broken); err == nil && !bytes.Equal(got, data) {
					t.Fatalf("%v: bit %#x of byte %d of %d flipped, read %d bytes", args, bit, i, len(packed), len(got))
				}
			}
		}
	}
}

func TestErrorsOfTheSourcePass(t *testing.T) {
	packed, cause := run(t, sample(100_000), "-c"), errors.New("cable pulled")
	for _, n := range []int{0, 5, 12, 15, 1000, len(packed) - 5, len(packed)} {
		z, err := xz.NewReader(io.MultiReader(bytes.NewReader(packed[:n]), iotest.ErrReader(cause)))
		if err == nil {
			_, err = io.Copy(io.Discard, z)
		}
		if !errors.Is(err, cause) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		z.Close()
	}
}

func TestCloseWhileDecoding(t *testing.T) {
	packed := run(t, sample(4<<20), "-cT2", "--block-size=500KiB")
	z, err := xz.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(z, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	z.Close()
	if n, err := z.Read(make([]byte, 10)); n != 0 || err == nil {
		t.Errorf("read %d bytes after Close, %v", n, err)
	}
}

func TestWriter(t *testing.T) {
	for name, newWriter := range map[string]func(io.Writer, int) *xz.Writer{"compress": xz.NewWriterSize, "store": xz.NewStoreWriterSize} {
		t.Run(name, func(t *testing.T) { testWriter(t, newWriter) })
	}
}

func testWriter(t *testing.T, newWriter func(io.Writer, int) *xz.Writer) {
	const blockSize = 100_000
	for _, n := range []int{0, 1, blockSize - 1, blockSize, blockSize + 1, 5*blockSize + 7} {
		data := sample(n)
		var out, again bytes.Buffer
		for _, w := range []*bytes.Buffer{&out, &again} {
			z := newWriter(w, blockSize)
			if _, err := io.Copy(z, iotest.HalfReader(bytes.NewReader(data))); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(out.Bytes(), again.Bytes()) {
			t.Errorf("%d bytes: two runs differ", n)
		}
		if got := run(t, out.Bytes(), "-dc"); !bytes.Equal(got, data) {
			t.Errorf("%d bytes: xz made %d of it", n, len(got))
		}
		if got, err := decode(out.Bytes()); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: read back %d, %v", n, len(got), err)
		}
	}
}

func TestWriterError(t *testing.T) {
	z := xz.NewWriter(failingWriter{})
	if _, err := z.Write(sample(1000)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func FuzzReader(f *testing.F) {
	for _, args := range [][]string{{"-c0"}, {"-c0T2", "--block-size=100"}, {"-c0", "--check=none"}} {
		f.Add(run(f, sample(400), args...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := xz.NewReader(bytes.NewReader(data))
		if err != nil {
			return
		}
		defer z.Close()
		_, err = io.Copy(io.Discard, io.LimitReader(z, 16<<20))
		if err != nil && !errors.Is(err, xz.ErrFormat) && !errors.Is(err, xz.ErrMemory) && !errors.Is(err, xz.ErrUnsupported) {
			t.Errorf("unexpected kind of error: %v", err)
		}
	})
}
