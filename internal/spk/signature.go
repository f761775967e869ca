package spk

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"io"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/schema"
)

// signature is the content of a Signature message that holds.
type signature struct {
	key    [ed25519.PublicKeySize]byte
	digest [64]byte // SHA-512 of all that follows the message
}

// readSignature takes the Signature message off r and verifies it.
func readSignature(r io.Reader) (*signature, error) {
	msg, err := readMessage(r, MaxSignature)
	if err != nil {
		return nil, err
	}
	root, err := schema.ReadRootSignature(msg)
	if err != nil {
		return nil, badSignature("signature message: %w", err)
	}
	key, err := root.PublicKey()
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, badSignature("the public key has %d bytes", len(key))
	}
	signed, err := root.Signature()
	if err != nil || len(signed) != ed25519.SignatureSize+64 {
		return nil, badSignature("the signature has %d bytes", len(signed))
	}
	if weakKey([32]byte(key)) {
		return nil, badSignature("the public key is one that anybody can sign for")
	}
	if !ed25519.Verify(key, signed[ed25519.SignatureSize:], signed[:ed25519.SignatureSize]) {
		return nil, badSignature("the signature does not hold")
	}
	return &signature{key: [32]byte(key), digest: [64]byte(signed[ed25519.SignatureSize:])}, nil
}

// readMessage reads one framed message of at most limit bytes, which is checked
// before anything of that size is read or allocated.
func readMessage(r io.Reader, limit int) (*capnp.Message, error) {
	var count [4]byte
	if _, err := io.ReadFull(r, count[:]); err != nil {
		return nil, shortRead(err)
	}
	segments := uint64(binary.LittleEndian.Uint32(count[:])) + 1
	head := 4 + 4*segments
	head += head % 8
	if head > uint64(limit) {
		return nil, badSignature("the signature message has %d segments", segments)
	}
	buf := make([]byte, head)
	copy(buf, count[:])
	if _, err := io.ReadFull(r, buf[4:]); err != nil {
		return nil, shortRead(err)
	}
	size := head
	for i := range segments {
		size += 8 * uint64(binary.LittleEndian.Uint32(buf[4+4*i:]))
	}
	if size > uint64(limit) {
		return nil, badSignature("the signature message has %d bytes", size)
	}
	buf = append(buf, make([]byte, size-head)...)
	if _, err := io.ReadFull(r, buf[head:]); err != nil {
		return nil, shortRead(err)
	}
	msg, err := capnp.Unmarshal(buf)
	if err != nil {
		return nil, badSignature("signature message: %w", err)
	}
	return msg, nil
}

func shortRead(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("the file ends within the signature: %w", io.ErrUnexpectedEOF)
	}
	return readError(err)
}

func badSignature(format string, args ...any) error {
	return sandstorm.Errorf(sandstorm.Invalid, "package.bad-signature", format, args...)
}

// weakKey reports whether a public key is of small order or not canonical.
// Anybody can make signatures that hold under a key of small order, and a key
// with a second encoding would give one app two ids; crypto/ed25519 accepts
// both (RFC 8032 §5.1.3 allows neither).
func weakKey(key [32]byte) bool {
	key[31] &= 0x7f // the sign of x; the x coordinates of both signs are weak
	if !belowP(key) {
		return true
	}
	for _, y := range smallOrderY {
		if key == y {
			return true
		}
	}
	return false
}

// belowP reports whether y, little-endian, is smaller than p = 2^255 - 19.
func belowP(y [32]byte) bool {
	if y[31] != 0x7f {
		return true
	}
	for _, b := range y[1:31] {
		if b != 0xff {
			return true
		}
	}
	return y[0] < 0xed
}

// smallOrderY are the y coordinates of the eight points whose order divides 8.
var smallOrderY = [...][32]byte{
	{},     // order 4
	{0: 1}, // the identity
	{
		0: 0xec, 1: 0xff, 2: 0xff, 3: 0xff, 4: 0xff, 5: 0xff, 6: 0xff, 7: 0xff, 8: 0xff, 9: 0xff, 10: 0xff,
		11: 0xff, 12: 0xff, 13: 0xff, 14: 0xff, 15: 0xff, 16: 0xff, 17: 0xff, 18: 0xff, 19: 0xff, 20: 0xff,
		21: 0xff, 22: 0xff, 23: 0xff, 24: 0xff, 25: 0xff, 26: 0xff, 27: 0xff, 28: 0xff, 29: 0xff, 30: 0xff,
		31: 0x7f,
	}, // -1: order 2
	{
		0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
	}, // order 8
	{
		0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
	}, // order 8
}
