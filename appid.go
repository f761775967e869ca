package sandstorm

import "strings"

// AppID names an app: its Ed25519 public key in 52 characters of base32
// (spec/packages.md §1).
type AppID string

// appIDAlphabet is Sandstorm's base32: no b, i, l, o.
const appIDAlphabet = "0123456789acdefghjkmnpqrstuvwxyz"

// appIDLength is the number of characters that carry 256 bits.
const appIDLength = 52

// AppIDFromKey is the app id of an Ed25519 public key.
func AppIDFromKey(key [32]byte) AppID {
	var out [appIDLength]byte
	for i := range out {
		out[i] = appIDAlphabet[bits5(key[:], i*5)]
	}
	return AppID(out[:])
}

// ParseAppID decodes an app id in any case and with the usual mistaken letters
// (o for 0, i and l for 1, b for 8) and returns its canonical form.
func ParseAppID(s string) (AppID, error) {
	key, ok := decodeAppID(s)
	if !ok {
		return "", Errorf(Invalid, "id.app", "%.80q is not an app id", s)
	}
	return AppIDFromKey(key), nil
}

// PublicKey is the Ed25519 key that the app id stands for. ok is false if id
// was not made by ParseAppID or AppIDFromKey and is malformed.
func (id AppID) PublicKey() (key [32]byte, ok bool) { return decodeAppID(string(id)) }

func decodeAppID(s string) (key [32]byte, ok bool) {
	if len(s) != appIDLength {
		return key, false
	}
	var acc, nbits uint
	n := 0
	for i := range len(s) {
		v, ok := appIDDigit(s[i])
		if !ok {
			return key, false
		}
		acc, nbits = acc<<5|v, nbits+5
		if nbits >= 8 && n < len(key) {
			nbits -= 8
			key[n] = byte(acc >> nbits)
			n++
		}
		acc &= 1<<nbits - 1
	}
	// 260 bits carry 256: the four spare ones must be zero, or two texts
	// would name one app.
	return key, acc == 0
}

func appIDDigit(c byte) (uint, bool) {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	switch c {
	case 'o':
		c = '0'
	case 'i', 'l':
		c = '1'
	case 'b':
		c = '8'
	}
	i := strings.IndexByte(appIDAlphabet, c)
	return uint(i), i >= 0
}

// bits5 reads five bits of b from bit offset off, most significant first, with
// zeros past the end.
func bits5(b []byte, off int) byte {
	var v uint16
	if i := off / 8; i < len(b) {
		v = uint16(b[i]) << 8
		if i+1 < len(b) {
			v |= uint16(b[i+1])
		}
	}
	return byte(v>>(11-off%8)) & 31
}
