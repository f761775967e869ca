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

// WriteOptions steer Write.
type WriteOptions struct {
	// Store leaves the archive as it is inside the xz data: ten times as fast,
	// and several times as large. For packages that go no further than to a
	// server on this machine.
	Store bool
	// Progress, if set, is called now and then with the bytes that were dealt
	// with, of total. The archive counts twice: it is signed, then compressed.
	Progress func(done, total int64)
}

// Write packs the tree below root into a .spk file signed by key and returns
// what it became. Each file is read twice: first to be signed, then to be
// compressed on all processors. Equal trees and keys give equal bytes.
//
// The tree must hold a manifest (see BuildManifest); Write does not look into
// it. After an error, what dst got is to be thrown away.
func Write(ctx context.Context, dst io.Writer, key ed25519.PrivateKey, root *Node, opts WriteOptions) (*Info, error) {
	if m := root.Child(ManifestName); m == nil {
		return nil, fmt.Errorf("pack: there is no %s", ManifestName)
	}
	archive, err := planArchive(root)
	if err != nil {
		return nil, err
	}
	progress := &progressWriter{tell: opts.Progress, total: 2 * archive.size}
	digest := sha512.New()
	if err := archive.writeTo(ctx, io.MultiWriter(digest, progress)); err != nil {
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
	newWriter := xz.NewWriter
	if opts.Store {
		newWriter = xz.NewStoreWriter
	}
	z := newWriter(file)
	digest.Reset()
	_, err = z.Write(message)
	if err == nil {
		err = archive.writeTo(ctx, io.MultiWriter(z, digest, progress))
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

// progressWriter tells how many bytes passed.
type progressWriter struct {
	tell        func(done, total int64)
	done, total int64
}

func (p *progressWriter) Write(b []byte) (int, error) {
	p.done += int64(len(b))
	if p.tell != nil {
		p.tell(p.done, p.total)
	}
	return len(b), nil
}
