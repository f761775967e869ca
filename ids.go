package sandstorm

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
)

// PackageID names one version of an app: the first 16 bytes of the SHA-256 of
// the whole .spk file, as 32 lower-case hex digits.
type PackageID string

// GrainID names a grain: 22 characters of idAlphabet for grains made here;
// imported ones may have any length from 8 to 64.
type GrainID string

// AccountID names an account: 17 characters of idAlphabet.
type AccountID string

// CredentialID is the lower-case hex SHA-256 of "service:id". It is written
// into backups, so the form is fixed.
type CredentialID string

// AssetID names a public, immutable blob (an icon or a picture): the
// hex SHA-256 of its bytes.
type AssetID string

// HostID is the random part of a grain session's host name: the first 32 hex
// digits of the SHA-256 of the session id. A host name must not be logged
// whole; use Short.
type HostID string

// TabID is what apps see as X-Sandstorm-Tab-Id: 32 hex digits derived from the
// session id in such a way that neither reveals the other.
type TabID string

// idAlphabet has no characters that people mistake for each other. Ids made by
// earlier servers use the same one.
const idAlphabet = "23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz"

// NewGrainID makes a random grain id of 22 characters (127 bits).
func NewGrainID() GrainID { return GrainID(randomID(22)) }

// NewAccountID makes a random account id of 17 characters (98 bits).
func NewAccountID() AccountID { return AccountID(randomID(17)) }

// NewCredentialID derives the id of a credential from the service that vouches
// for it ("email", "dev", "github", …) and the id within that service.
func NewCredentialID(service, id string) CredentialID {
	sum := sha256.Sum256([]byte(service + ":" + id))
	return CredentialID(hex.EncodeToString(sum[:]))
}

// ParsePackageID accepts 32 hex digits in any case and returns the canonical
// lower-case form.
func ParsePackageID(s string) (PackageID, error) {
	s = strings.ToLower(s)
	if len(s) != 32 || !isHex(s) {
		return "", Errorf(Invalid, "id.package", "package id %q is not 32 hex digits", s)
	}
	return PackageID(s), nil
}

// devPrefix begins the ids of packages under development.
const devPrefix = "dev-"

// NewDevPackageID makes the id of an app under development while a program
// serves it: "dev-" and six letters or digits (packages.md §1). It is no id that
// ParsePackageID takes, so that nobody can name such a package from outside.
func NewDevPackageID() PackageID { return devPrefix + PackageID(randomID(6)) }

// DevPackageOf is what grains that an app under development made have as their
// package, until they run from an installed one.
func DevPackageOf(app AppID) PackageID { return devPrefix + PackageID(app) }

// IsDev reports whether the id is of an app under development.
func (id PackageID) IsDev() bool { return strings.HasPrefix(string(id), devPrefix) }

// ParseGrainID accepts the ids of this and of earlier servers: 8 to 64 ASCII
// letters and digits. Such an id is safe as a file name.
func ParseGrainID(s string) (GrainID, error) {
	if len(s) < 8 || len(s) > 64 || !isAlphanumeric(s) {
		return "", Errorf(Invalid, "id.grain", "%q is not a grain id", s)
	}
	return GrainID(s), nil
}

// ParseHostID accepts exactly 32 lower-case hex digits.
func ParseHostID(s string) (HostID, bool) {
	if len(s) != 32 || !isHex(s) {
		return "", false
	}
	return HostID(s), true
}

// Short is what may be logged of a host id: its first six digits.
func (h HostID) Short() string {
	if len(h) < 6 {
		return string(h)
	}
	return string(h[:6])
}

// SessionID is the secret of a grain session: 64 lower-case hex digits. The
// browser holds it as a cookie of the session's host; the server stores only
// the host id that follows from it.
type SessionID struct{ Secret }

// NewSessionID makes a random session id (256 bits).
func NewSessionID() SessionID {
	var b [32]byte
	rand.Read(b[:])
	return SessionID{Secret(hex.EncodeToString(b[:]))}
}

// ParseSessionID accepts exactly 64 lower-case hex digits, so that a forged
// value can neither carry cookie attributes nor match two hosts.
func ParseSessionID(s string) (SessionID, bool) {
	if len(s) != 64 || !isHex(s) {
		return SessionID{}, false
	}
	return SessionID{Secret(s)}, true
}

// HostID is the host id that belongs to this session.
func (id SessionID) HostID() HostID {
	sum := sha256.Sum256([]byte(id.Reveal()))
	return HostID(hex.EncodeToString(sum[:16]))
}

// TabID is the tab id that the app sees for this session.
func (id SessionID) TabID() TabID {
	sum := sha256.Sum256([]byte("tab:" + id.Reveal()))
	return TabID(hex.EncodeToString(sum[:16]))
}

// Opens reports, in constant time, whether this session id belongs to host.
func (id SessionID) Opens(host HostID) bool {
	return subtle.ConstantTimeCompare([]byte(id.HostID()), []byte(host)) == 1
}

// randomID draws n characters of idAlphabet without bias.
func randomID(n int) string {
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		rand.Read(buf[:])
		for _, b := range buf {
			// 220 is the largest multiple of the alphabet's 55 below 256.
			if b < 220 && len(out) < n {
				out = append(out, idAlphabet[b%55])
			}
		}
	}
	return string(out)
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func isAlphanumeric(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
