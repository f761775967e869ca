package rootfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// taker copies parts of one root into another, with the symlinks that lead
// there and what these lead to.
type taker struct {
	pool, root *os.Root
	// link makes files of the root other names of those in the pool, which is
	// quick, for a pool that is thrown away.
	link  bool
	leave []pattern
	todo  []string        // directories that symlinks lead to, still to be taken
	led   map[string]bool // all that ever were in todo
}

// patterns takes everything that fits one of the rules.
func (t *taker) patterns(ctx context.Context, rules []rule) error {
	used := make([]bool, len(rules))
	err := fs.WalkDir(t.pool.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil || name == "." {
			return err
		}
		if matchesAny(t.leave, name) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		hit := false
		for i, r := range rules {
			if r.pattern.matches(name) {
				hit, used[i] = true, true
			}
		}
		if !hit {
			return nil
		}
		return t.one(name)
	})
	for len(t.todo) > 0 && err == nil {
		dir := t.todo[0]
		t.todo = t.todo[1:]
		err = fs.WalkDir(t.pool.FS(), dir, func(name string, _ fs.DirEntry, err error) error {
			if err == nil {
				err = context.Cause(ctx)
			}
			if err != nil || matchesAny(t.leave, name) {
				return err
			}
			return t.one(name)
		})
	}
	for i, r := range rules {
		if !used[i] && err == nil {
			err = lineError{r.line, fmt.Errorf("nothing in the packages fits %q", r.text)}
		}
	}
	return err
}

// one takes an entry; of a symlink also what it leads to, if that is there.
func (t *taker) one(name string) error {
	fresh, err := t.entry(name)
	if err != nil || !fresh {
		return err
	}
	info, err := t.pool.Lstat(name)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return err
	}
	real, _, err := follow(t.pool, name, false)
	if err != nil {
		return nil // leads to what the app makes, or to nothing
	}
	if info, err := t.pool.Lstat(real); err != nil || !info.IsDir() {
		return t.path(name)
	}
	// Not all of what the link itself is in: that was not meant.
	if real != "." && !isBelow(name, real) && !t.led[real] {
		if t.led == nil {
			t.led = map[string]bool{}
		}
		t.led[real] = true
		t.todo = append(t.todo, real)
	}
	return nil
}

func isBelow(name, dir string) bool {
	return len(name) > len(dir) && name[:len(dir)] == dir && name[len(dir)] == '/'
}

// path takes what a name leads to and each symlink on the way there.
func (t *taker) path(name string) error {
	real, links, err := follow(t.pool, name, false)
	if err != nil {
		return err
	}
	for _, l := range append(links, real) {
		if _, err := t.entry(l); err != nil {
			return err
		}
	}
	return nil
}

// entry takes one entry, of a directory only itself. It reports whether the
// entry was not there yet.
func (t *taker) entry(name string) (fresh bool, err error) {
	dir, _, err := follow(t.root, path.Dir(name), true)
	if err != nil {
		return false, err
	}
	to := path.Join(dir, path.Base(name))
	if _, err := t.root.Lstat(to); err == nil {
		return false, nil
	}
	info, err := t.pool.Lstat(name)
	if err != nil {
		return false, err
	}
	switch {
	case info.IsDir():
		return true, makeDir(t.root, to)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := t.pool.Readlink(name)
		if err != nil {
			return false, err
		}
		if err := t.root.Symlink(target, to); err != nil {
			return false, err
		}
	case info.Mode().IsRegular():
		if t.link && os.Link(filepath.Join(t.pool.Name(), name), filepath.Join(t.root.Name(), to)) == nil {
			return true, nil
		}
		if err := t.copy(name, to, info.Mode()); err != nil {
			return false, err
		}
	default:
		return false, nil
	}
	parent, err := t.root.Open(dir)
	if err != nil {
		return false, err
	}
	defer parent.Close()
	return true, setTime(parent, path.Base(to), info.ModTime())
}

func (t *taker) copy(from, to string, mode fs.FileMode) error {
	src, err := t.pool.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := t.root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	perm := fs.FileMode(0o644)
	if mode&0o100 != 0 {
		perm = 0o755
	}
	return errors.Join(err, dst.Chmod(perm), dst.Close())
}
