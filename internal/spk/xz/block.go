package xz

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
)

// Integrity checks: their ids in the stream's flags.
const (
	checkNone   = 0
	checkCRC32  = 1
	checkCRC64  = 4
	checkSHA256 = 10
)

func checkSize(id byte) (int, bool) {
	switch id {
	case checkNone:
		return 0, true
	case checkCRC32:
		return 4, true
	case checkCRC64:
		return 8, true
	case checkSHA256:
		return sha256.Size, true
	}
	return 0, false
}

// newCheck returns the hash of a check, or nil for none.
func newCheck(id byte) hash.Hash {
	switch id {
	case checkCRC32:
		return crc32.NewIEEE()
	case checkCRC64:
		return crc64.New(crc64Table)
	case checkSHA256:
		return sha256.New()
	}
	return nil
}

// checkEquals compares a finished hash with the field in the file, in which
// numbers are little-endian.
func checkEquals(h hash.Hash, field []byte) bool {
	switch h := h.(type) {
	case nil:
		return true
	case hash.Hash64:
		return binary.LittleEndian.Uint64(field) == h.Sum64()
	case hash.Hash32:
		return binary.LittleEndian.Uint32(field) == h.Sum32()
	default:
		return bytes.Equal(field, h.Sum(nil))
	}
}

// blockHeader is what stands before a block. Sizes that are not given are -1.
type blockHeader struct {
	size         int   // of the header itself
	compressed   int64 // without header, padding and check
	uncompressed int64
	dict         int
}

// parseBlockHeader decodes a whole header.
func parseBlockHeader(b []byte) (*blockHeader, error) {
	body := b[:len(b)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, fmt.Errorf("%w: checksum of a block's header", ErrFormat)
	}
	flags := body[1]
	if flags&0x3c != 0 {
		return nil, fmt.Errorf("%w: block flags %#x", ErrUnsupported, flags)
	}
	h := &blockHeader{size: len(b), compressed: -1, uncompressed: -1}
	body = body[2:]
	var err error
	if flags&0x40 != 0 {
		if h.compressed, body, err = takeSize(body); err != nil || h.compressed == 0 {
			return nil, fmt.Errorf("%w: size in a block's header", ErrFormat)
		}
	}
	if flags&0x80 != 0 {
		if h.uncompressed, body, err = takeSize(body); err != nil {
			return nil, err
		}
	}
	if flags&3 != 0 {
		return nil, fmt.Errorf("%w: %d filters", ErrUnsupported, flags&3+1)
	}
	return h, h.parseFilter(body)
}

// parseFilter decodes the only filter, which must be LZMA2, and the padding.
func (h *blockHeader) parseFilter(b []byte) error {
	id, n := vli(b)
	if n == 0 {
		return fmt.Errorf("%w: filter in a block's header", ErrFormat)
	}
	if id != lzma2Filter {
		return fmt.Errorf("%w: filter %#x", ErrUnsupported, id)
	}
	if b = b[n:]; len(b) < 2 || b[0] != 1 || b[1] > 40 {
		return fmt.Errorf("%w: LZMA2 properties", ErrFormat)
	}
	if h.dict = dictSize(b[1]); h.dict > maxDict {
		return fmt.Errorf("%w: %d bytes, more than %d", ErrMemory, h.dict, maxDict)
	}
	if len(bytes.Trim(b[2:], "\x00")) > 0 {
		return fmt.Errorf("%w: padding of a block's header", ErrFormat)
	}
	return nil
}

func takeSize(b []byte) (int64, []byte, error) {
	v, n := vli(b)
	if n == 0 || v > maxVLI {
		return 0, nil, fmt.Errorf("%w: size in a block's header", ErrFormat)
	}
	return int64(v), b[n:], nil
}
