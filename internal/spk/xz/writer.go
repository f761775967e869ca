package xz

import (
	"encoding/binary"
	"fmt"
	"hash/crc64"
	"io"
	"runtime"

	"github.com/ulikunitz/xz/lzma"
)

const (
	// blockSize and maxEncodeDict are what `xz --threads=0` uses, so that
	// packages made here unpack as well in parallel as those made by it.
	blockSize     = 24 << 20
	maxEncodeDict = 8 << 20
)

var crc64Table = crc64.MakeTable(crc64.ECMA)

// Writer compresses to one stream of independent blocks, with CRC64. The bytes
// that come out depend only on those that go in.
type Writer struct {
	w      io.Writer
	encode func([]byte) encoded // a block
	size   int                  // of a block
	buf    []byte
	queue  chan chan encoded // blocks under way, in order
	done   chan error        // result of the goroutine that writes them
	index  []byte
	blocks uint64
}

// encoded is a compressed block, ready to be written, or why there is none.
type encoded struct {
	block    []byte // header, data and padding, check
	unpadded uint64
	size     uint64 // before compression
	err      error
}

// NewWriter returns a Writer that uses all processors. The caller must Close it
// also after an error.
func NewWriter(w io.Writer) *Writer { return newWriter(w, blockSize, encodeBlock) }

// NewStoreWriter returns a Writer that does not compress: what comes out is a
// valid xz file all the same.
func NewStoreWriter(w io.Writer) *Writer { return newWriter(w, blockSize, storeBlock) }

func newWriter(w io.Writer, blockSize int, encode func([]byte) encoded) *Writer {
	z := &Writer{
		w:      w,
		encode: encode,
		size:   blockSize,
		queue:  make(chan chan encoded, runtime.GOMAXPROCS(0)-1),
		done:   make(chan error, 1),
	}
	go func() { z.done <- z.writeBlocks() }()
	return z
}

// Write implements io.Writer. An error of the underlying writer may show only
// later, at the latest in Close.
func (z *Writer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		m := min(len(p), z.size-len(z.buf))
		z.buf = append(z.buf, p[:m]...)
		p = p[m:]
		if len(z.buf) == z.size {
			z.flush()
		}
	}
	return n, nil
}

// flush starts to compress what is buffered.
func (z *Writer) flush() {
	data, result := z.buf, make(chan encoded, 1)
	z.buf = nil
	z.queue <- result // waits while enough blocks are under way
	go func() { result <- z.encode(data) }()
}

// Close compresses what is left and completes the stream. It does not close the
// underlying writer.
func (z *Writer) Close() error {
	if len(z.buf) > 0 {
		z.flush()
	}
	close(z.queue)
	return <-z.done
}

// writeBlocks writes header, finished blocks in order, index and footer. It
// takes all blocks off the queue even after an error, lest Write blocks.
func (z *Writer) writeBlocks() error {
	flags := []byte{0, checkCRC64}
	header := append(headerMagic[:len(headerMagic):len(headerMagic)], flags...)
	_, err := z.w.Write(appendCRC32(header, flags))
	for result := range z.queue {
		b := <-result
		if err == nil {
			err = b.err
		}
		if err == nil {
			_, err = z.w.Write(b.block)
		}
		z.index = appendVLI(appendVLI(z.index, b.unpadded), b.size)
		z.blocks++
	}
	if err != nil {
		return err
	}
	index := append(appendVLI([]byte{0}, z.blocks), z.index...)
	index = append(index, make([]byte, pad4(int64(len(index))))...)
	index = appendCRC32(index, index)
	footer := binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1))
	footer = append(footer, flags...)
	out := append(appendCRC32(index, footer), footer...)
	_, err = z.w.Write(append(out, footerMagic[:]...))
	return err
}

// encodeBlock makes a block with both sizes in its header.
func encodeBlock(data []byte) encoded {
	var body appendWriter
	// A dictionary larger than the data would only cost memory, here and at
	// the reader.
	code := byte(0)
	for dictSize(code) < min(len(data), maxEncodeDict) {
		code++
	}
	enc, err := lzma.Writer2Config{DictCap: dictSize(code)}.NewWriter2(&body)
	if err == nil {
		_, err = enc.Write(data)
	}
	if err == nil {
		err = enc.Close()
	}
	if err != nil {
		return encoded{err: fmt.Errorf("xz: compress: %w", err)}
	}
	return frameBlock(body, data, code)
}

// maxStored is how many bytes an LZMA2 chunk holds that is not compressed.
const maxStored = 1 << 16

// storeBlock makes a block of LZMA2 chunks that are not compressed.
func storeBlock(data []byte) encoded {
	body := make(appendWriter, 0, len(data)+len(data)/maxStored*3+8)
	control := byte(1) // resets the dictionary
	for rest := data; len(rest) > 0; control = 2 {
		n := min(len(rest), maxStored)
		body = append(body, control, byte((n-1)>>8), byte(n-1))
		body = append(body, rest[:n]...)
		rest = rest[n:]
	}
	return frameBlock(append(body, 0), data, 0)
}

// frameBlock puts header and check around compressed data; code is the size of
// its dictionary.
func frameBlock(body appendWriter, data []byte, code byte) encoded {
	head := []byte{0, 0xc0} // one filter, both sizes present
	head = appendVLI(head, uint64(len(body)))
	head = appendVLI(head, uint64(len(data)))
	head = append(head, lzma2Filter, 1, code)
	head = append(head, make([]byte, pad4(int64(len(head))))...)
	head[0] = byte(len(head) / 4)
	block := append(appendCRC32(head, head), body...)
	unpadded := uint64(len(block)) + 8
	block = append(block, make([]byte, pad4(int64(len(body))))...)
	block = binary.LittleEndian.AppendUint64(block, crc64.Checksum(data, crc64Table))
	return encoded{block: block, unpadded: unpadded, size: uint64(len(data))}
}

type appendWriter []byte

func (a *appendWriter) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}
