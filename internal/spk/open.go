package spk

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk/xz"
)

// OpenOptions steer Open.
type OpenOptions struct {
	// TempDir is where the decompressed archive lies while the File is open;
	// empty means the system's directory. The file there has no name.
	TempDir string
	// Want, if set, is the package that was asked for: another one is refused.
	Want sandstorm.PackageID
	// Progress, if set, is called now and then with the number of bytes that
	// were read of the file.
	Progress func(read int64)

	maxArchive, maxPacked int64 // for tests; 0 means the format's limits
}

// File is a package whose signature holds. Its archive was not looked at yet:
// Check or Unpack do that. It is for one goroutine at a time.
type File struct {
	info    Info
	archive []byte // mapped from a nameless file
	root    *archiveRoot
}

// Open reads a whole .spk file from src and verifies it in the order of
// packages.md §2: magic, signature message, signature, then the archive while it
// is hashed, its digest, replacements and revocations. The caller closes the
// File; nothing stays behind if Open fails.
func Open(ctx context.Context, src io.Reader, opts OpenOptions) (*File, error) {
	if opts.maxArchive == 0 {
		opts.maxArchive, opts.maxPacked = MaxArchive, MaxPacked
	}
	in := newSource(ctx, src, opts)
	if err := readMagic(in); err != nil {
		return nil, err
	}
	dec, err := xz.NewReader(in)
	if err != nil {
		return nil, readError(err)
	}
	defer dec.Close()
	sig, err := readSignature(dec)
	if err != nil {
		return nil, err
	}
	temp, err := tempFile(opts.TempDir)
	if err != nil {
		return nil, WriteError(err)
	}
	defer temp.Close()

	digest := sha512.New()
	size, err := copyArchive(temp, digest, dec, opts.maxArchive)
	if err != nil {
		return nil, err
	}
	if [sha512.Size]byte(digest.Sum(nil)) != sig.digest {
		return nil, damaged("the archive is not the one that was signed")
	}
	info, err := identify(in, sig.key, opts.Want)
	if err != nil {
		return nil, err
	}
	info.Archive = size
	mapped, err := mapFile(temp, size)
	if err != nil {
		return nil, err
	}
	return &File{info: *info, archive: mapped}, nil
}

// Info tells what the package is.
func (f *File) Info() Info { return f.info }

// Close frees the archive. Byte slices that the File gave out stay valid.
func (f *File) Close() error {
	archive := f.archive
	f.archive, f.root = nil, nil
	if archive == nil {
		return nil
	}
	return unix.Munmap(archive)
}

// Verify reads a package and checks all there is to check, without unpacking it.
func Verify(ctx context.Context, src io.Reader, opts OpenOptions) (*Info, error) {
	f, err := Open(ctx, src, opts)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Check(ctx); err != nil {
		return nil, err
	}
	return &f.info, nil
}

// Unpack reads a package, verifies it and unpacks it to dir, which must not
// exist and is removed again if anything fails.
func Unpack(ctx context.Context, src io.Reader, dir string, opts OpenOptions) (*Info, error) {
	f, err := Open(ctx, src, opts)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Unpack(ctx, dir); err != nil {
		return nil, err
	}
	return &f.info, nil
}

func readMagic(in io.Reader) error {
	var got [8]byte
	_, err := io.ReadFull(in, got[:])
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || (err == nil && got != magic) {
		return sandstorm.Errorf(sandstorm.Invalid, "package.not-a-package", "the file does not start with the magic number")
	}
	return err
}

// copyArchive moves the rest of the decompressed data to temp and hashes it. It
// ends when the decompressor has seen the end of the file and found it good.
func copyArchive(temp, digest io.Writer, dec io.Reader, limit int64) (int64, error) {
	out := &sinkError{w: temp}
	size, err := io.Copy(io.MultiWriter(out, digest), io.LimitReader(dec, limit+1))
	switch {
	case out.err != nil:
		return 0, WriteError(out.err)
	case err != nil:
		return 0, readError(err)
	case size > limit:
		return 0, sandstorm.Errorf(sandstorm.TooLarge, "package.too-large", "the archive is larger than %d bytes", limit)
	}
	return size, nil
}

// sinkError keeps apart whether reading or writing failed.
type sinkError struct {
	w   io.Writer
	err error
}

func (s *sinkError) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// tempFile makes a file without a name, so that it cannot be left behind.
func tempFile(dir string) (*os.File, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC|unix.O_EXCL, 0o600)
	if err == nil {
		return os.NewFile(uintptr(fd), dir+"/(archive)"), nil
	}
	// Not every file system has O_TMPFILE.
	f, err := os.CreateTemp(dir, "archive.")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func mapFile(f *os.File, size int64) ([]byte, error) {
	if size == 0 {
		return nil, badArchive("the archive is empty")
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map archive: %w", err)
	}
	return b, nil
}
