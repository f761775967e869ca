package spk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"golang.org/x/sys/unix"
)

// TreeOptions steer ReadTree.
type TreeOptions struct {
	// ModTime, if not zero, replaces the modification time of everything, so
	// that equal trees make equal packages.
	ModTime time.Time
	// NotAfter, if not zero, is the latest modification time that anything
	// bears: later ones become it (SOURCE_DATE_EPOCH).
	NotAfter time.Time
	// Skip, if set, leaves out what it returns true for: slash-separated paths
	// below the directory.
	Skip func(path string) bool
	// Warn, if set, hears of files that are packed as empty ones because they
	// are neither files nor directories nor symlinks.
	Warn func(path string)
}

// ReadTree makes a tree of what is in the directory dir: its owner's execute
// bit makes a file executable, symlinks stay symlinks. The files themselves are
// read while the tree is written; they must not change until then.
func ReadTree(dir string, opts TreeOptions) (*Node, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	defer root.Close()
	node := &Node{kind: kindDirectory}
	if err := readDir(root, dir, "", node, &opts); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return node, nil
}

func readDir(root *os.Root, base, rel string, into *Node, opts *TreeOptions) error {
	f, err := root.Open(path.Join(".", rel))
	if err != nil {
		return err
	}
	entries, err := f.ReadDir(-1)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(rel, e.Name())
		if opts.Skip != nil && opts.Skip(name) {
			continue
		}
		node, err := readNode(root, base, name, opts)
		if err != nil {
			return err
		}
		into.Put(node)
		if !node.IsDir() {
			continue
		}
		if err := readDir(root, base, name, node, opts); err != nil {
			return err
		}
	}
	return nil
}

func readNode(root *os.Root, base, name string, opts *TreeOptions) (*Node, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	return nodeOf(info, name, *opts, func() (string, error) { return root.Readlink(name) },
		func() (io.ReadCloser, error) { return openBeneath(base, name) })
}

// nodeOf makes the node of what info says lies at name.
func nodeOf(info fs.FileInfo, name string, opts TreeOptions, readlink func() (string, error), open func() (io.ReadCloser, error)) (*Node, error) {
	n := &Node{Name: path.Base(name), MTime: info.ModTime()}
	if !opts.ModTime.IsZero() {
		n.MTime = opts.ModTime
	}
	if !opts.NotAfter.IsZero() && n.MTime.After(opts.NotAfter) {
		n.MTime = opts.NotAfter
	}
	var err error
	switch mode := info.Mode(); {
	case mode.IsDir():
		n.kind = kindDirectory
	case mode&os.ModeSymlink != 0:
		n.kind = kindSymlink
		n.target, err = readlink()
	case mode.IsRegular():
		n.kind, n.size = kindRegular, info.Size()
		if mode&0o100 != 0 {
			n.kind = kindExecutable
		}
		n.open = open
	default:
		n.kind = kindRegular
		n.open = func() (io.ReadCloser, error) { return io.NopCloser(eof{}), nil }
		if opts.Warn != nil {
			opts.Warn(name)
		}
	}
	return n, err
}

// openBeneath opens a file of the tree without following any symlink, in case
// the tree changed since it was listed.
func openBeneath(base, name string) (*os.File, error) {
	dir, err := os.Open(base)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	how := &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	}
	for {
		fd, err := unix.Openat2(int(dir.Fd()), name, how)
		if err == nil {
			return os.NewFile(uintptr(fd), path.Join(base, name)), nil
		}
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return nil, &os.PathError{Op: "open", Path: path.Join(base, name), Err: err}
		}
	}
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
