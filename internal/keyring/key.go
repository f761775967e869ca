package keyring

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/schema"
)

// KeySize is the length of a key in a keyring that this package wrote, in bytes:
// the same as of keys that the original wrote.
const KeySize = 128

// maxMessage bounds one KeyFile message, and maxSegments its segments.
const (
	maxMessage  = 4 << 10
	maxSegments = 16
)

// Key is an app's key pair. It prints as its app id in every format.
type Key struct {
	public [ed25519.PublicKeySize]byte
	// A function, as fmt prints a field of a struct without asking the Key, and
	// follows pointers for verbs that do not fit.
	private func() ed25519.PrivateKey
}

// Generate makes a new key.
func Generate() (Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("make key: %w", err)
	}
	return FromPrivate(private)
}

// FromPrivate makes a Key of a private key, which it copies.
func FromPrivate(private ed25519.PrivateKey) (Key, error) {
	if len(private) != ed25519.PrivateKeySize {
		return Key{}, fmt.Errorf("the private key has %d bytes, not %d", len(private), ed25519.PrivateKeySize)
	}
	derived := ed25519.NewKeyFromSeed(private[:ed25519.SeedSize])
	if subtle.ConstantTimeCompare(derived, private) != 1 {
		return Key{}, errors.New("the private key does not belong to the public key")
	}
	return Key{
		public:  [ed25519.PublicKeySize]byte(private[ed25519.SeedSize:]),
		private: func() ed25519.PrivateKey { return derived },
	}, nil
}

// AppID is the app id that the key stands for.
func (k Key) AppID() sandstorm.AppID { return sandstorm.AppIDFromKey(k.public) }

// Private is the private key: its uses are worth a look in a review.
func (k Key) Private() ed25519.PrivateKey { return k.private() }

// Message is the key as it stands in a keyring: a framed KeyFile of KeySize
// bytes. It holds the private key.
func (k Key) Message() ([]byte, error) {
	msg, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	root, err := schema.NewRootKeyFile(seg)
	if err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	if err := errors.Join(root.SetPublicKey(k.public[:]), root.SetPrivateKey(k.private())); err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	return msg.Marshal()
}

// String is the app id.
func (k Key) String() string { return string(k.AppID()) }

// Format hides the private key from every verb of fmt.
func (k Key) Format(w fmt.State, _ rune) { io.WriteString(w, k.String()) }

// LogValue hides the private key from log/slog.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText hides the private key from encoding/json and its like.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// parseKey reads the first key of b and returns how many bytes it takes.
func parseKey(b []byte) (Key, int, error) {
	size, err := messageSize(b)
	if err != nil {
		return Key{}, 0, err
	}
	msg, err := capnp.Unmarshal(b[:size])
	if err != nil {
		return Key{}, 0, fmt.Errorf("malformed: %w", err)
	}
	msg.TraverseLimit = maxMessage
	root, err := schema.ReadRootKeyFile(msg)
	if err != nil {
		return Key{}, 0, fmt.Errorf("malformed: %w", err)
	}
	public, err1 := root.PublicKey()
	private, err2 := root.PrivateKey()
	if err := errors.Join(err1, err2); err != nil {
		return Key{}, 0, fmt.Errorf("malformed: %w", err)
	}
	if len(public) != ed25519.PublicKeySize {
		return Key{}, 0, fmt.Errorf("the public key has %d bytes, not %d", len(public), ed25519.PublicKeySize)
	}
	key, err := FromPrivate(private)
	if err != nil {
		return Key{}, 0, err
	}
	if key.public != [ed25519.PublicKeySize]byte(public) {
		return Key{}, 0, errors.New("the private key does not belong to the public key")
	}
	return key, size, nil
}

// messageSize is the length of the framed message that b starts with, in bytes.
func messageSize(b []byte) (int, error) {
	const (
		cut     = "the file ends in the middle of the key: it was cut off, or it is no keyring"
		foreign = "this is no key: the file is damaged, or it is no keyring"
	)
	if len(b) < 8 {
		return 0, errors.New(cut)
	}
	if binary.LittleEndian.Uint32(b) >= maxSegments {
		return 0, errors.New(foreign)
	}
	segments := int(binary.LittleEndian.Uint32(b)) + 1
	size := 4 + 4*segments
	size += size % 8
	if len(b) < size {
		return 0, errors.New(cut)
	}
	for i := range segments {
		words := binary.LittleEndian.Uint32(b[4+4*i:])
		if words > maxMessage/8 {
			return 0, errors.New(foreign)
		}
		size += 8 * int(words)
	}
	switch {
	case size > maxMessage:
		return 0, errors.New(foreign)
	case size > len(b):
		return 0, errors.New(cut)
	}
	return size, nil
}
