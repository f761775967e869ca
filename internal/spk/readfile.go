package spk

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ReadFile makes a node called name of one file, symlink or directory (without
// what is in it) at path, by the rules of ReadTree. The file itself is read
// while the tree is written; it must not change until then.
func ReadFile(name, path string, opts TreeOptions) (*Node, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	node, err := nodeOf(info, path, opts, func() (string, error) { return os.Readlink(path) },
		func() (io.ReadCloser, error) { return openNoFollow(path) })
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	node.Name = name
	return node, nil
}

// openNoFollow opens a file unless it has become a symlink, and does not hang on
// one that has become a FIFO.
func openNoFollow(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), filepath.Base(path)), nil
}
