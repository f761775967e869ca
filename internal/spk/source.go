package spk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"github.com/sandstorm-go/sandstorm"
)

// source reads the .spk file: it hashes and counts the bytes, stops at the
// limit and when the context ends.
type source struct {
	ctx      context.Context // of the one call to Open that this lives in
	r        io.Reader
	hash     hash.Hash
	n, limit int64
	progress func(int64)
}

func newSource(ctx context.Context, r io.Reader, opts OpenOptions) *source {
	return &source{ctx: ctx, r: r, hash: sha256.New(), limit: opts.maxPacked, progress: opts.Progress}
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if err := context.Cause(s.ctx); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	s.hash.Write(p[:n])
	s.n += int64(n)
	if s.n > s.limit {
		// Padding and empty blocks could go on for ever without growing the
		// archive.
		return 0, sandstorm.Errorf(sandstorm.TooLarge, "package.too-large", "the file is larger than %d bytes", s.limit)
	}
	if s.progress != nil && n > 0 {
		s.progress(s.n)
	}
	return n, err
}

// identify names the package after its whole file was read and its signature
// was found good.
func identify(in *source, key [32]byte, want sandstorm.PackageID) (*Info, error) {
	sum := in.hash.Sum(nil)
	info := &Info{
		SigningID: sandstorm.AppIDFromKey(key),
		PackageID: sandstorm.PackageID(hex.EncodeToString(sum[:16])),
		SHA256:    hex.EncodeToString(sum),
		Packed:    in.n,
	}
	if want != "" && want != info.PackageID {
		err := sandstorm.Errorf(sandstorm.Invalid, "package.other-hash", "asked for package %s, got %s", want, info.PackageID)
		return nil, err.With("want", string(want)).With("got", string(info.PackageID))
	}
	var err error
	info.AppID, err = OriginalAppID(info.SigningID, info.PackageID)
	return info, err
}
