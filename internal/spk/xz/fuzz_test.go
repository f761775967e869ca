package xz

import (
	"bufio"
	"bytes"
	"io"
	"sync/atomic"
	"testing"

	"github.com/ulikunitz/xz/lzma"
)

// FuzzLZMA2 feeds raw LZMA2 data, which the checksums of the container keep
// FuzzReader from reaching, to both ways of decoding a block.
func FuzzLZMA2(f *testing.F) {
	var packed appendWriter
	enc, err := lzma.Writer2Config{DictCap: 1 << 12}.NewWriter2(&packed)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := enc.Write(bytes.Repeat([]byte("grain, sand, storm; "), 100)); err != nil {
		f.Fatal(err)
	}
	if err := enc.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(packed), uint16(2000))
	f.Add([]byte("\x01\x00\x02abc\x02\x00\x00d\x00"), uint16(4))
	f.Fuzz(func(t *testing.T, data []byte, size uint16) {
		out := make([]byte, size, int(size)+copySlack)
		j := &job{header: &blockHeader{dict: 1 << 12}, out: out, cancel: new(atomic.Bool)}
		errJob := j.decode(new(model), bytes.NewReader(data))

		z := &Reader{src: counter{r: bufio.NewReader(bytes.NewReader(data))}, check: checkNone}
		z.serial.start(z, &blockHeader{compressed: -1, uncompressed: int64(size), dict: 1 << 12})
		var got []byte
		var errSerial error
		for z.serial.active && errSerial == nil && len(got) <= 1<<16 {
			var b []byte
			b, errSerial = z.serial.read(z)
			got = append(got, b...)
		}
		if errJob == nil && len(got) <= 1<<16 {
			// The serial way also reads the block's padding, which is not there.
			if !bytes.Equal(got, out) {
				t.Errorf("the two ways differ: %d bytes, %v", len(got), errSerial)
			}
			want, err := io.ReadAll(newOther(t, data))
			if err == nil && !bytes.Equal(want, out) {
				t.Errorf("another decoder makes %d other bytes of it", len(want))
			}
		}
	})
}

// newOther is an independent decoder.
func newOther(t *testing.T, data []byte) io.Reader {
	r, err := lzma.Reader2Config{DictCap: 1 << 12}.NewReader2(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func FuzzBlockHeader(f *testing.F) {
	b := encodeBlock([]byte("x")).block
	f.Add(b[:4*(int(b[0])+1)])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 4 || len(data)%4 != 0 {
			return
		}
		data = appendCRC32(data, data) // else hardly any gets past the checksum
		h, err := parseBlockHeader(data)
		if err == nil && (h.dict < 4096 || h.dict > maxDict || h.compressed < -1 || h.uncompressed < -1) {
			t.Errorf("%+v", h)
		}
	})
}
