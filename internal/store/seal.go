package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

// hostKeyFile holds 32 random bytes in hex. It lies outside the database, so
// that a stolen database, or a backup of it alone, opens nothing.
const hostKeyFile = "host.key"

// box seals the secret columns. The column's name is bound into the result, so
// that a sealed value cannot be moved to another place by who writes to the
// database.
type box struct {
	aead cipher.AEAD
	id   string // names the key without revealing it
}

func newBox(key []byte) *box {
	derive := func(info string, n int) []byte {
		out, err := hkdf.Key(sha256.New, key, nil, info, n)
		if err != nil {
			panic(err) // only for lengths that are out of range
		}
		return out
	}
	block, err := aes.NewCipher(derive("sandstorm store seal", 32))
	if err != nil {
		panic(err) // only for a wrong key length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for a wrong block size
	}
	return &box{aead: aead, id: hex.EncodeToString(derive("sandstorm store key id", 16))}
}

func (b *box) seal(column string, plain []byte) []byte {
	return b.aead.Seal(nil, nil, plain, []byte(column))
}

func (b *box) open(column string, sealed []byte) ([]byte, error) {
	plain, err := b.aead.Open(nil, nil, sealed, []byte(column))
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Internal, "store.sealed", "store: unseal %s: %w", column, err)
	}
	return plain, nil
}

// loadHostKey reads the host key and makes it if there is none.
func loadHostKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeHostKey(path); err != nil {
			return nil, unavailable("make the host key", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, unavailable("read the host key", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, unavailable("read the host key", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, sandstorm.Errorf(sandstorm.Denied, "store.host-key-open",
			"%s can be read by others (mode %#o): run chmod 600 on it", path, info.Mode().Perm()).With("path", path)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "store.host-key-bad",
			"%s does not hold 64 hex digits: put the right file back from a backup", path).With("path", path)
	}
	return key, nil
}

// makeHostKey writes a fresh key so that a crash leaves either all of it or no
// file, and so that of two processes one wins.
func makeHostKey(path string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), hostKeyFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	key := make([]byte, 32)
	rand.Read(key)
	_, err = fmt.Fprintf(tmp, "%x\n", key)
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// checkHostKey makes sure that this database was sealed with our key. Two
// servers on one database with different keys would overwrite each other's
// secrets with what the other cannot read.
func (s *Store) checkHostKey(ctx context.Context, discard bool) error {
	return s.write(ctx, "check the host key", func(q querier) error {
		if _, err := q.exec(ctx, `INSERT INTO meta (name, value) VALUES ('host-key', $1) ON CONFLICT (name) DO NOTHING`, s.box.id); err != nil {
			return err
		}
		id, _, err := one(ctx, q, value[string], `SELECT value FROM meta WHERE name = 'host-key'`)
		if err != nil || id == s.box.id {
			return err
		}
		if !discard {
			return sandstorm.Errorf(sandstorm.Conflict, "store.host-key-wrong",
				"the secrets in the database were sealed with another host key: put the old %s back from a backup or from the other server; "+
					"if it is lost, start once with --discard-secrets and enter the mail password again", hostKeyFile)
		}
		for _, stmt := range []string{`DELETE FROM settings WHERE sealed IS NOT NULL`, `DELETE FROM login_codes`} {
			if _, err := q.exec(ctx, stmt); err != nil {
				return err
			}
		}
		_, err = q.exec(ctx, `UPDATE meta SET value = $1 WHERE name = 'host-key'`, s.box.id)
		return err
	})
}
