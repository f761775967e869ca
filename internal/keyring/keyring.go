// Package keyring keeps the private keys of apps: the file ~/.sandstorm-keyring,
// which is KeyFile messages one after another (packages.md §6), so that keyrings
// can be merged with cat. Who has an app's key can publish updates of the app.
//
// Keys are not encrypted. Nothing here prints one: an error or a log line names
// a key by its app id.
package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// MaxSize is how large a keyring may be, in bytes: room for 131072 keys.
const MaxSize = 16 << 20

// ErrNotFound is in the chain of errors about keys that a keyring lacks.
var ErrNotFound = errors.New("key not found in keyring")

// Keyring is a keyring file as it was when it was read.
type Keyring struct {
	path    string
	keys    []Key
	exposed bool
}

// DefaultPath is where keys are unless a command line says otherwise:
// .sandstorm-keyring in the home directory.
func DefaultPath() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("$HOME is not set: say with --keyring which file holds your keys")
	}
	return filepath.Join(home, ".sandstorm-keyring"), nil
}

// Open reads the keyring at path. If there is none, the error is fs.ErrNotExist.
func Open(path string) (*Keyring, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	defer f.Close()
	return read(f, path)
}

func read(f *os.File, path string) (*Keyring, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("keyring %s is a directory, not a file", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	keys, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("keyring %s: %w", path, err)
	}
	// A pipe, as of <(gpg -d …), has no mode that means anything.
	exposed := info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0
	return &Keyring{path: path, keys: keys, exposed: exposed}, nil
}

// Parse reads the content of a keyring. An error says which key is bad and at
// which offset it starts.
func Parse(b []byte) ([]Key, error) {
	if len(b) > MaxSize {
		return nil, fmt.Errorf("it is larger than %d MiB, so it is no keyring", MaxSize>>20)
	}
	var keys []Key
	for rest := b; len(rest) > 0; {
		key, n, err := parseKey(rest)
		if err != nil {
			return nil, fmt.Errorf("key %d, at byte %d: %w", len(keys)+1, len(b)-len(rest), err)
		}
		keys, rest = append(keys, key), rest[n:]
	}
	return keys, nil
}

// Path is the file that the keys are from.
func (r *Keyring) Path() string { return r.path }

// Keys are all keys in the order of the file. A key that was merged in twice is
// there twice.
func (r *Keyring) Keys() []Key { return r.keys }

// Exposed tells that others on this machine may read or change the file.
func (r *Keyring) Exposed() bool { return r.exposed }

// Literal finds the key with exactly this app id, whether or not it was replaced.
func (r *Keyring) Literal(app sandstorm.AppID) (Key, error) {
	want, ok := app.PublicKey()
	if !ok {
		return Key{}, fmt.Errorf("%.80q is not an app id", string(app))
	}
	for _, key := range r.keys {
		if bytes.Equal(key.public[:], want[:]) {
			return key, nil
		}
	}
	return Key{}, &missingError{sandstorm.AppIDFromKey(want)}
}

// Signing finds the key that must sign new packages of app: the newest
// replacement of app's own (packages.md §8).
func (r *Keyring) Signing(app sandstorm.AppID) (Key, error) {
	return r.Literal(spk.SigningAppID(app))
}

// Obsolete tells whether app's key was replaced, and by which.
func Obsolete(app sandstorm.AppID) (by sandstorm.AppID, obsolete bool) {
	by = spk.SigningAppID(app)
	return by, by != app
}

// missingError's text is part of the command line's contract.
type missingError struct{ app sandstorm.AppID }

func (e *missingError) Error() string { return string(e.app) + ": " + ErrNotFound.Error() }
func (e *missingError) Unwrap() error { return ErrNotFound }
