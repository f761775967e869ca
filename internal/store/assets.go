package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/sandstorm-go/sandstorm"
)

// Asset is a public picture: an icon of a package or a person's portrait.
type Asset struct {
	ID       sandstorm.AssetID
	MIMEType string
	Content  []byte
}

// maxAsset bounds one picture: 1 MiB, what shell.md §1 gives for assets.
const maxAsset = 1 << 20

// NewAsset makes the asset that the bytes are.
func NewAsset(content []byte) Asset {
	sum := sha256.Sum256(content)
	return Asset{ID: sandstorm.AssetID(hex.EncodeToString(sum[:])), MIMEType: assetType(content), Content: content}
}

// assetType is what the bytes themselves say. The id is a hash of the bytes
// alone, so a type taken from a package would let one package decide how
// another's picture is served.
func assetType(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(content, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(content, []byte("GIF8")):
		return "image/gif"
	}
	return "image/svg+xml"
}

// PutAsset stores a picture and returns its id. One that nothing refers to goes
// away with the next package or picture that is deleted.
func (s *Store) PutAsset(ctx context.Context, content []byte) (sandstorm.AssetID, error) {
	a := NewAsset(content)
	err := s.write(ctx, "write asset", func(q querier) error { return s.putAsset(ctx, q, a) })
	return a.ID, err
}

func (s *Store) putAsset(ctx context.Context, q querier, a Asset) error {
	if len(a.Content) > maxAsset {
		return sandstorm.Errorf(sandstorm.TooLarge, "asset.too-large", "asset %s has %d bytes, at most %d are allowed", a.ID, len(a.Content), maxAsset)
	}
	made := NewAsset(a.Content)
	if made.ID != a.ID {
		return sandstorm.Errorf(sandstorm.Invalid, "asset.wrong-id", "asset %s has SHA-256 %s", a.ID, made.ID)
	}
	_, err := q.exec(ctx, `INSERT INTO assets (id, mime_type, content, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
		string(made.ID), made.MIMEType, made.Content, ms(s.now()))
	return err
}

// Asset returns a picture, or NotFound.
func (s *Store) Asset(ctx context.Context, id sandstorm.AssetID) (*Asset, error) {
	a, ok, err := one(ctx, s.read(), func(row scanner) (*Asset, error) {
		a := &Asset{}
		return a, row.Scan(&a.ID, &a.MIMEType, &a.Content)
	}, `SELECT id, mime_type, content FROM assets WHERE id = $1`, string(id))
	if err != nil {
		return nil, s.eng.wrap("read asset", err)
	}
	if !ok {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "asset.not-found", "no asset %.80q", string(id))
	}
	return a, nil
}

func dropUnusedAssets(ctx context.Context, q querier) error {
	_, err := q.exec(ctx, `DELETE FROM assets WHERE NOT EXISTS (SELECT 1 FROM package_assets WHERE asset = assets.id)
		AND NOT EXISTS (SELECT 1 FROM accounts WHERE picture = assets.id)`)
	return err
}
