package xz

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"io"
)

// counter reads the source and counts the bytes.
type counter struct {
	r *bufio.Reader
	n int64
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// full reads all of p; the end of the source within it is an error.
func (c *counter) full(p []byte) error {
	_, err := io.ReadFull(c, p)
	return truncated(err)
}

// truncated makes the source's end an error where there must be more.
func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early", ErrFormat)
	}
	return err
}

// index sums up a stream's blocks, to be compared with the index at its end. It
// takes no memory for each block.
type index struct {
	blocks, sum uint64
}

func (x *index) add(unpadded, uncompressed int64) {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], uint64(unpadded))
	binary.LittleEndian.PutUint64(b[8:], uint64(uncompressed))
	x.blocks++
	x.sum = crc64.Update(x.sum, crc64Table, b[:])
}

// streamHeader reads the first twelve bytes of a stream.
func (z *Reader) streamHeader() error {
	var b [headerSize]byte
	if err := z.src.full(b[:]); err != nil {
		return err
	}
	if [6]byte(b[:]) != headerMagic {
		return fmt.Errorf("%w: this is no xz stream", ErrFormat)
	}
	if crc32.ChecksumIEEE(b[6:8]) != binary.LittleEndian.Uint32(b[8:]) {
		return fmt.Errorf("%w: checksum of a stream's header", ErrFormat)
	}
	if _, ok := checkSize(b[7]); !ok || b[6] != 0 {
		return fmt.Errorf("%w: stream flags %x", ErrUnsupported, b[6:8])
	}
	z.check, z.index, z.inside = b[7], index{}, true
	return nil
}

// nextStream skips padding and starts the next stream. At the end of the
// source it returns io.EOF.
func (z *Reader) nextStream() error {
	for {
		b, err := z.src.r.Peek(4)
		switch {
		case len(b) == 0 && errors.Is(err, io.EOF):
			return io.EOF
		case err != nil:
			return truncated(err)
		case [4]byte(b) != [4]byte{}:
			return z.streamHeader()
		}
		// Padding comes in fours; take as many as are at hand.
		b, _ = z.src.r.Peek(z.src.r.Buffered() &^ 3)
		zeros := len(b) - len(bytes.TrimLeft(b, "\x00"))
		if _, err := z.src.r.Discard(zeros &^ 3); err != nil {
			return err
		}
	}
}

// indexReader reads the index byte by byte and hashes it.
type indexReader struct {
	src  *counter
	size int64
	crc  uint32
}

func (r *indexReader) readByte() (byte, error) {
	b, err := r.src.r.ReadByte()
	if err != nil {
		return 0, truncated(err)
	}
	r.src.n++
	r.size++
	r.crc = crc32.Update(r.crc, crc32.IEEETable, []byte{b})
	return b, nil
}

func (r *indexReader) number() (uint64, error) {
	var b [9]byte
	for i := range b {
		var err error
		if b[i], err = r.readByte(); err != nil {
			return 0, err
		}
		if b[i] < 0x80 {
			if v, n := vli(b[:i+1]); n > 0 {
				return v, nil
			}
			break
		}
	}
	return 0, fmt.Errorf("%w: number in an index", ErrFormat)
}

// streamEnd reads index and footer, after the index's first byte.
func (z *Reader) streamEnd() error {
	r := &indexReader{src: &z.src, size: 1, crc: crc32.ChecksumIEEE([]byte{0})}
	n, err := r.number()
	if err != nil {
		return err
	}
	if n != z.index.blocks {
		return fmt.Errorf("%w: index of %d blocks for %d", ErrFormat, n, z.index.blocks)
	}
	var listed index
	for range n {
		unpadded, err1 := r.number()
		uncompressed, err2 := r.number()
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		listed.add(int64(unpadded), int64(uncompressed))
	}
	if listed != z.index {
		return fmt.Errorf("%w: the index differs from the blocks", ErrFormat)
	}
	for range pad4(r.size) {
		if b, err := r.readByte(); err != nil || b != 0 {
			return errors.Join(fmt.Errorf("%w: padding of an index", ErrFormat), err)
		}
	}
	var b [4 + headerSize]byte
	if err := z.src.full(b[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(b[:]) != r.crc {
		return fmt.Errorf("%w: checksum of an index", ErrFormat)
	}
	return z.streamFooter(b[4:], r.size+4)
}

func (z *Reader) streamFooter(b []byte, indexSize int64) error {
	z.inside = false
	switch {
	case !bytes.Equal(b[10:], footerMagic[:]),
		crc32.ChecksumIEEE(b[4:10]) != binary.LittleEndian.Uint32(b):
		return fmt.Errorf("%w: footer of a stream", ErrFormat)
	case b[8] != 0, b[9] != z.check,
		(int64(binary.LittleEndian.Uint32(b[4:]))+1)*4 != indexSize:
		return fmt.Errorf("%w: the footer differs from the stream", ErrFormat)
	}
	return nil
}
