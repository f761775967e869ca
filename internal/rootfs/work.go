package rootfs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// work is a directory beside the one that is wanted, in which everything is
// done until it is right.
type work struct {
	into string
	dir  string
	root string // what will be into
}

func newWork(into string) (*work, error) {
	into, err := filepath.Abs(into)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(into); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s is there already, and it is not a directory", into)
	}
	if resolved, err := filepath.EvalSymlinks(into); err == nil {
		into = resolved
	}
	if err := os.MkdirAll(filepath.Dir(into), 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(into), "."+filepath.Base(into)+".partial-")
	if err != nil {
		return nil, err
	}
	w := &work{into: into, dir: dir, root: filepath.Join(dir, "root")}
	if err := os.Mkdir(w.root, 0o755); err != nil {
		w.discard()
		return nil, err
	}
	return w, nil
}

// discard removes what has not been published.
func (w *work) discard() { _ = os.RemoveAll(w.dir) }

// publish moves the files to their place. That nothing is in the way is checked
// before the first of them is moved.
func (w *work) publish() error {
	if _, err := os.Lstat(w.into); errors.Is(err, fs.ErrNotExist) {
		if err := os.Chmod(w.root, 0o755); err != nil {
			return err
		}
		return os.Rename(w.root, w.into)
	}
	if err := merge(w.root, w.into, false); err != nil {
		return err
	}
	return merge(w.root, w.into, true)
}

// merge moves the entries of one directory into another, where directories that
// both have become one. Without really, it only looks.
func merge(from, to string, really bool) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		src, dst := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		there, err := os.Lstat(dst)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if really {
				err = os.Rename(src, dst)
			} else {
				err = nil
			}
		case err != nil:
		case e.IsDir() && there.IsDir():
			err = merge(src, dst, really)
		case same(src, dst, e, there):
		default:
			err = fmt.Errorf("%s is there already", dst)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// same reports whether two entries are equal, so that one will do.
func same(a, b string, e fs.DirEntry, there fs.FileInfo) bool {
	mine, err := e.Info()
	if err != nil || mine.Mode() != there.Mode() {
		return false
	}
	switch {
	case e.Type()&fs.ModeSymlink != 0:
		x, errX := os.Readlink(a)
		y, errY := os.Readlink(b)
		return errX == nil && errY == nil && x == y
	case !e.Type().IsRegular() || mine.Size() != there.Size() || mine.Size() > 64<<20:
		return false
	}
	x, errX := os.ReadFile(a)
	y, errY := os.ReadFile(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
