package xz

import (
	"bufio"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync/atomic"
)

const (
	// maxDict is the largest dictionary: a file chooses how much memory its
	// reader needs.
	maxDict = 256 << 20
	// maxParallel is the largest block, decoded, that is decoded as a whole.
	maxParallel = 64 << 20
	// parallelMemory bounds the blocks that are under way at a time.
	parallelMemory = 384 << 20
)

// Reader decompresses all streams of its source, up to its end. After io.EOF
// every checksum, size and index was found right and nothing followed.
//
// It reads the source only within calls of Read, so that what the source does
// happens on the caller's goroutine; only the decoding happens on others.
type Reader struct {
	src     counter
	err     error  // what Read returns once everything before was delivered
	current []byte // decoded, not yet delivered
	last    *job   // whose buffers are free once current was delivered

	check  byte // of the current stream
	index  index
	inside bool // of a stream
	serial serialBlock

	jobs   []*job   // under way, in order
	memory int64    // that they hold
	free   [][]byte // buffers of finished jobs
	cancel atomic.Bool
}

// NewReader reads the first stream's header. The caller must Close the Reader.
func NewReader(r io.Reader) (*Reader, error) {
	z := &Reader{src: counter{r: bufio.NewReaderSize(r, 1<<18)}}
	return z, z.streamHeader()
}

// Read implements io.Reader.
func (z *Reader) Read(p []byte) (int, error) {
	for len(z.current) == 0 {
		if err := z.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, z.current)
	z.current = z.current[n:]
	return n, nil
}

// WriteTo implements io.WriterTo.
func (z *Reader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		for len(z.current) == 0 {
			err := z.more()
			if errors.Is(err, io.EOF) {
				return total, nil
			}
			if err != nil {
				return total, err
			}
		}
		n, err := w.Write(z.current)
		total += int64(n)
		z.current = z.current[n:]
		if err != nil {
			return total, err
		}
	}
}

// Close stops decoding and waits until nothing runs any more. It does not close
// the source.
func (z *Reader) Close() error {
	z.cancel.Store(true)
	for _, j := range z.jobs {
		<-j.done
	}
	z.jobs, z.current, z.err = nil, nil, errCancelled
	return nil
}

// more makes more data current, or returns why there is none.
func (z *Reader) more() error {
	if z.last != nil {
		z.free = append(z.free, z.last.in, z.last.out)
		z.last = nil
	}
	for z.err == nil && !z.serial.active && z.room() {
		z.err = z.advance()
	}
	if len(z.jobs) > 0 {
		j := z.jobs[0]
		z.jobs = z.jobs[1:]
		<-j.done
		z.memory -= j.size()
		if j.err != nil {
			// What comes after is not worth having.
			z.err = j.err
			return j.err
		}
		z.current, z.last = j.out, j
		return nil
	}
	if z.err == nil && z.serial.active {
		z.current, z.err = z.serial.read(z)
	}
	if len(z.current) > 0 {
		return nil
	}
	return z.err
}

// room reports whether one more block may be decoded at the same time.
func (z *Reader) room() bool {
	return len(z.jobs) <= runtime.GOMAXPROCS(0) && (len(z.jobs) == 0 || z.memory+2*maxParallel <= parallelMemory)
}

// advance reads on to the end of the next block that can be decoded on its own,
// or to the start of the next other one.
func (z *Reader) advance() error {
	if !z.inside {
		return z.nextStream()
	}
	var size [1]byte
	if err := z.src.full(size[:]); err != nil {
		return err
	}
	if size[0] == 0 {
		return z.streamEnd()
	}
	b := make([]byte, 4*(int(size[0])+1))
	b[0] = size[0]
	if err := z.src.full(b[1:]); err != nil {
		return err
	}
	h, err := parseBlockHeader(b)
	if err != nil {
		return err
	}
	// LZMA2 never needs more than a little above the original size.
	if h.compressed < 0 || h.uncompressed < 0 || h.uncompressed > maxParallel || h.compressed > h.uncompressed+h.uncompressed/64+1024 {
		z.serial.start(z, h)
		return nil
	}
	return z.startJob(h)
}

// startJob reads a whole block and starts to decode it.
func (z *Reader) startJob(h *blockHeader) error {
	n, _ := checkSize(z.check)
	j := &job{header: h, check: z.check, done: make(chan struct{}), cancel: &z.cancel}
	j.in = z.buffer(int(h.compressed) + pad4(h.compressed) + n)
	if err := z.src.full(j.in); err != nil {
		return err
	}
	j.out = z.buffer(int(h.uncompressed))
	z.index.add(int64(h.size)+h.compressed+int64(n), h.uncompressed)
	z.memory += j.size()
	z.jobs = append(z.jobs, j)
	go j.run()
	return nil
}

// buffer returns n bytes with capacity for copySlack more.
func (z *Reader) buffer(n int) []byte {
	for i, b := range z.free {
		if cap(b) >= n+copySlack && cap(b)/4 <= n+copySlack {
			z.free = slices.Delete(z.free, i, i+1)
			return b[:n]
		}
	}
	if len(z.free) > 2 {
		z.free = slices.Delete(z.free, 0, 1)
	}
	return make([]byte, n, n+copySlack)
}
