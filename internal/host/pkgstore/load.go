package pkgstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// load reads manifest, pictures and bridge configuration out of a tree. It is
// fs.ErrNotExist only if there is no tree.
func load(tree string) (*host.Installed, error) {
	dir, err := openTree(tree)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if err := checkMountPoints(dir); err != nil {
		return nil, err
	}
	b, err := readBeneath(dir, spk.ManifestName)
	if err != nil {
		return nil, badTree("%w", hideNotExist(err))
	}
	manifest, pictures, err := spk.ParseManifest(b)
	if err != nil {
		return nil, err
	}
	in := &host.Installed{Package: sandstorm.Package{Manifest: *manifest}}
	for _, p := range pictures {
		in.Assets = append(in.Assets, host.Asset{ID: p.ID, MIMEType: p.MIMEType, Content: p.Content})
	}
	b, err = readBeneath(dir, spk.BridgeConfigName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return in, nil
	case err != nil:
		return nil, badTree("%w", err)
	}
	in.Package.Bridge, err = spk.ParseBridgeConfig(b)
	return in, err
}

// checkAuthor refuses a package whose author's signature does not hold: it is
// only for show, but a wrong one shows somebody who is not the author.
func checkAuthor(tree string, app sandstorm.AppID) error {
	dir, err := openTree(tree)
	if err != nil {
		return err
	}
	defer dir.Close()
	manifest, err := readBeneath(dir, spk.ManifestName)
	if err != nil {
		return badTree("%w", err)
	}
	_, err = spk.AuthorFingerprint(manifest, app)
	return err
}

func openTree(tree string) (*os.File, error) {
	fd, err := unix.Open(tree, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: tree, Err: err}
	}
	return os.NewFile(uintptr(fd), tree), nil
}

// openBeneath opens a name below dir. A package's symlinks resolve in its
// grains' root and nowhere else: following one here would let a package read
// the server's files.
func openBeneath(dir *os.File, name string, flags uint64) (*os.File, error) {
	how := &unix.OpenHow{
		Flags:   flags | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	}
	for {
		fd, err := unix.Openat2(int(dir.Fd()), name, how)
		if err == nil {
			return os.NewFile(uintptr(fd), filepath.Join(dir.Name(), name)), nil
		}
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return nil, &os.PathError{Op: "open", Path: name, Err: err}
		}
	}
}

// readBeneath reads a regular file of the tree's root, of bounded size.
func readBeneath(dir *os.File, name string) ([]byte, error) {
	f, err := openBeneath(dir, name, unix.O_RDONLY|unix.O_NONBLOCK) // not to hang on a FIFO
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	const slack = 1 << 20 // a manifest's segment table and unreachable rests
	if !info.Mode().IsRegular() || info.Size() > spk.MaxManifest+slack {
		return nil, fmt.Errorf("%s is not a file of at most %d bytes", name, spk.MaxManifest)
	}
	return io.ReadAll(io.LimitReader(f, info.Size()))
}

// checkMountPoints refuses imported trees in which something would be mounted
// over a symlink; spk.Unpack does the same for packages.
func checkMountPoints(dir *os.File) error {
	for _, name := range []string{"dev", "tmp", "var", "proc", "proc/cpuinfo"} {
		f, err := openBeneath(dir, name, unix.O_PATH)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return badTree("mount point %s: %w", name, err)
		}
		info, err := f.Stat()
		f.Close()
		if err != nil || info.IsDir() != (name != "proc/cpuinfo") {
			return badTree("mount point %s has the wrong kind (%v)", name, err)
		}
	}
	return nil
}

func badTree(format string, args ...any) error {
	return sandstorm.Errorf(sandstorm.Invalid, "package.bad-archive", "package tree: "+format, args...)
}

// hideNotExist keeps a missing file from passing for a missing package.
func hideNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New(err.Error())
	}
	return err
}
