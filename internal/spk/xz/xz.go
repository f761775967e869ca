// Package xz reads and writes the .xz format (version 1.1.0 of the file format
// specification) as far as packages use it: LZMA2 without further filters, any
// number of blocks and streams, all integrity checks.
//
// Both directions work on several blocks at once. Reading needs a block's two
// sizes in its header for that, which `xz --threads` writes; other blocks are
// decoded as they come, in the memory of their dictionary.
package xz

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// The errors of Reader. They are wrapped with details; test with errors.Is.
var (
	// ErrFormat tells that the data is not well-formed or a checksum is wrong.
	ErrFormat = errors.New("xz: malformed data")
	// ErrMemory tells that a block asks for a larger dictionary than allowed.
	ErrMemory = errors.New("xz: dictionary too large")
	// ErrUnsupported tells that the data uses a filter or check that is not
	// implemented.
	ErrUnsupported = errors.New("xz: unsupported feature")
)

const (
	headerSize   = 12 // of a stream header, and of a stream footer
	lzma2Filter  = 0x21
	maxBlockHead = 1024
	// maxVLI is the largest number that the format can hold.
	maxVLI = 1<<63 - 1
)

var (
	headerMagic = [6]byte{0xfd, '7', 'z', 'X', 'Z', 0}
	footerMagic = [2]byte{'Y', 'Z'}
)

// appendVLI appends a variable-length integer: 7 bits a byte, lowest first.
func appendVLI(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// vli takes a variable-length integer off the front of b. n is 0 if b holds no
// whole, minimally encoded one.
func vli(b []byte) (v uint64, n int) {
	for i, c := range b {
		if i == 9 || (i > 0 && c == 0) {
			return 0, 0
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

func appendCRC32(b []byte, over []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(over))
}

// dictSize is the size in bytes of a dictionary with that code, at most 40.
func dictSize(code byte) int { return int(2|code&1) << (code/2 + 11) }

// pad4 is how many zero bytes bring n to a multiple of four.
func pad4(n int64) int { return int(-n & 3) }
