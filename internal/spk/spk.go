// Package spk reads, verifies, unpacks and writes Sandstorm packages: the .spk
// container (packages.md §2), the manifest and the HTTP bridge's configuration
// inside (packages.md §3 and §4).
//
// A package is hostile input. Open therefore checks in a fixed order and parses
// next to nothing before the signature holds; Unpack cannot be made to write
// outside its directory or through a symbolic link.
//
// This is a format: it knows no server, no store and no rules about who may
// install what.
package spk

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk/xz"
)

// Limits of the format (packages.md §2). Those marked "ours" were not checked
// by the original.
const (
	MaxArchive   = 1 << 30            // bytes, decompressed
	MaxFile      = 1<<29 - 1          // bytes of one file
	MaxManifest  = 8 << 20            // bytes
	MaxPacked    = MaxArchive + 1<<26 // bytes of a whole .spk; ours
	MaxSignature = 4 << 10            // bytes of the Signature message; ours
	MaxName      = 255                // bytes of a path component; ours
	MaxPath      = 4096               // bytes of a path or of a symlink's target; ours
	MaxNodes     = 1_000_000          // files, directories and symlinks; ours
	MaxDepth     = 60                 // levels of directories that Write makes
)

// maxHops is the nesting limit of the archive's reader in pointers: two for
// each level of directories, of which maxDepth fit below the root. 64 were too
// few for trees made by npm.
const (
	maxHops  = 128
	maxDepth = 62
)

// Names in a package's root that mean something.
const (
	ManifestName     = "sandstorm-manifest"
	BridgeConfigName = "sandstorm-http-bridge-config"
)

var magic = [8]byte{0x8f, 0xc6, 0xcd, 0xef, 0x45, 0x1a, 0xea, 0x96}

// Info is what a verified package is.
type Info struct {
	AppID     sandstorm.AppID     // after replacements
	SigningID sandstorm.AppID     // the key that signed the package
	PackageID sandstorm.PackageID // first half of SHA256
	SHA256    string              // of the whole file, 64 hex digits
	Packed    int64               // bytes of the file
	Archive   int64               // bytes of the archive, decompressed
	Unpacked  int64               // bytes of all files; set by Unpack and Check
	Nodes     int                 // files, directories and symlinks; set likewise
}

// readError explains why the compressed data could not be read.
func readError(err error) error {
	var known *sandstorm.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, xz.ErrMemory):
		return sandstorm.Errorf(sandstorm.TooLarge, "package.too-large", "read package: %w", err)
	case errors.Is(err, xz.ErrUnsupported):
		return sandstorm.Errorf(sandstorm.Invalid, "package.unsupported", "read package: %w", err)
	case errors.Is(err, xz.ErrFormat):
		return damaged("read package: %w", err)
	}
	return err
}

func damaged(format string, args ...any) error {
	return sandstorm.Errorf(sandstorm.Invalid, "package.damaged", format, args...)
}

func badArchive(format string, args ...any) error {
	return sandstorm.Errorf(sandstorm.Invalid, "package.bad-archive", format, args...)
}

// WriteError explains why something could not be written while a package was
// being unpacked: a full disk is not the package's fault.
func WriteError(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return sandstorm.Errorf(sandstorm.Unavailable, "package.no-space", "unpack: %w", err)
	case errors.Is(err, fs.ErrExist):
		return badArchive("unpack: two entries share a name: %w", err)
	}
	return sandstorm.Errorf(sandstorm.Internal, "package.unpack", "unpack: %w", err)
}
