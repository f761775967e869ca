package spk

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk/xz"
	"github.com/sandstorm-go/sandstorm/schema"
)

// Write packs the tree below root into a .spk file signed by key and returns
// what it became. Each file is read twice: first to be signed, then to be
// compressed on all processors. Equal trees and keys give equal bytes.
//
// The tree must hold a manifest (see BuildManifest); Write does not look into
// it. After an error, what dst got is to be thrown away.
func Write(ctx context.Context, dst io.Writer, key ed25519.PrivateKey, root *Node) (*Info, error) {
	if m := root.Child(ManifestName); m == nil {
		return nil, fmt.Errorf("pack: there is no %s", ManifestName)
	}
	archive, err := planArchive(root)
	if err != nil {
		return nil, err
	}
	digest := sha512.New()
	if err := archive.writeTo(ctx, digest); err != nil {
		return nil, err
	}
	signed := digest.Sum(nil)
	message, err := signMessage(key, signed)
	if err != nil {
		return nil, err
	}

	file := &countingHash{w: dst, hash: sha256.New()}
	if _, err := file.Write(magic[:]); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	z := xz.NewWriter(file)
	digest.Reset()
	_, err = z.Write(message)
	if err == nil {
		err = archive.writeTo(ctx, io.MultiWriter(z, digest))
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if !bytes.Equal(digest.Sum(nil), signed) {
		return nil, errors.New("pack: files changed while they were packed")
	}
	sum := file.hash.Sum(nil)
	info := &Info{
		SigningID: sandstorm.AppIDFromKey([32]byte(key.Public().(ed25519.PublicKey))),
		PackageID: sandstorm.PackageID(hex.EncodeToString(sum[:16])),
		SHA256:    hex.EncodeToString(sum),
		Packed:    file.n,
		Archive:   archive.size,
		Unpacked:  archive.content,
		Nodes:     archive.nodes,
	}
	info.AppID, err = OriginalAppID(info.SigningID, info.PackageID)
	return info, err
}

// signMessage makes the framed Signature message over an archive's digest.
func signMessage(key ed25519.PrivateKey, digest []byte) ([]byte, error) {
	signed := append(ed25519.Sign(key, digest), digest...)
	return signatureMessage(key.Public().(ed25519.PublicKey), signed)
}

func signatureMessage(key, signed []byte) ([]byte, error) {
	msg, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	sig, err := schema.NewRootSignature(seg)
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if err := errors.Join(sig.SetPublicKey(key), sig.SetSignature(signed)); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return msg.Marshal()
}

// countingHash passes bytes on, hashes and counts them.
type countingHash struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

func (c *countingHash) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	return n, err
}
