package rootfs

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Names with a meaning in layers (OCI image-spec, layer.md, "Whiteouts").
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
	// internal is how names of a storage driver's own begin (aufs); they are no
	// files of the image.
	internal = ".wh..wh."
)

// layer is one archive on its way into a tree.
type layer struct {
	tree *tree
	// made are the entries of this layer, by resolved names, and the
	// directories that they are in. What a whiteout removes is only what lower
	// layers made, wherever in the archive it stands.
	made map[string]struct{}
	// debian packages have no whiteouts, and other rules for what is there.
	debian bool
}

// apply reads a tar archive to its end.
func (l *layer) apply(r io.Reader) error {
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the archive is damaged: %w", err)
		}
		if err := l.entry(h, archive); err != nil {
			return err
		}
	}
}

func (l *layer) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	if err := l.tree.budget.entry(); err != nil {
		return err
	}
	name, err := cleanName(h.Name)
	if err != nil {
		return err
	}
	if base := path.Base(name); !l.debian && strings.HasPrefix(base, whiteout) {
		return l.whiteout(path.Dir(name), base)
	}
	if name == "." && h.Typeflag != tar.TypeDir {
		return fmt.Errorf("%q is the root, but no directory", h.Name)
	}
	l.remark(h, name)
	real, err := l.put(h, name, content)
	if err != nil {
		return err
	}
	for ; real != "."; real = path.Dir(real) {
		if _, known := l.made[real]; known {
			break
		}
		l.made[real] = struct{}{}
	}
	return nil
}

// put makes the entry and returns its resolved name.
func (l *layer) put(h *tar.Header, name string, content io.Reader) (string, error) {
	t, mtime := l.tree, clampTime(h.ModTime)
	if l.debian && h.Typeflag != tar.TypeDir {
		if stays, err := l.stays(h, name); stays != "" || err != nil {
			return stays, err
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return t.putDir(name, mtime, l.debian)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		delete(t.links, name)
		return t.putFile(name, h.Mode&0o111 != 0, mtime, h.Size, content)
	case tar.TypeSymlink:
		return t.putSymlink(name, h.Linkname, mtime)
	case tar.TypeLink:
		old, err := cleanName(h.Linkname)
		if err != nil {
			return "", err
		}
		if _, left := t.links[old]; !left {
			return t.putLink(name, old)
		}
	}
	// A device, a pipe, or another name of one: there are none in packages.
	t.links[name] = struct{}{}
	real, _, err := t.clear(name)
	return real, err
}

// remark notes what a package cannot keep of an entry.
func (l *layer) remark(h *tar.Header, name string) {
	n := l.tree.notes
	switch h.Typeflag {
	case tar.TypeDir, tar.TypeSymlink, tar.TypeLink:
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		if h.Mode&0o6000 != 0 {
			n.add("set-user-id and set-group-id bits are dropped, a grain has one user only", name)
		}
		if h.PAXRecords["SCHILY.xattr.security.capability"] != "" {
			n.add("file capabilities are dropped, a grain has none", name)
		}
		if h.Mode&0o004 == 0 {
			n.add("not everybody could read these files; in a package everybody can, so look whether they hold secrets", name)
		}
	default:
		n.add("devices, pipes and other special files are left away", name)
	}
}

// whiteout removes what lower layers have at a place.
func (l *layer) whiteout(dir, base string) error {
	hidden := strings.TrimPrefix(base, whiteout)
	switch {
	case base == opaque:
	case strings.HasPrefix(base, internal):
		return nil
	case hidden == "" || hidden == "." || hidden == "..":
		return fmt.Errorf("%q removes nothing that could have a name", path.Join(dir, base))
	}
	real, _, err := follow(l.tree.root, dir, false)
	if err != nil {
		return nil // there is nothing to remove
	}
	if base == opaque {
		return l.prune(real)
	}
	name := path.Join(real, hidden)
	if _, own := l.made[name]; own {
		return l.prune(name)
	}
	return l.tree.remove(name)
}

// prune removes everything in a directory that this layer did not make.
func (l *layer) prune(name string) error {
	info, err := l.tree.root.Lstat(name)
	if err != nil || !info.IsDir() {
		return nil
	}
	dir, err := l.tree.root.Open(name)
	if err != nil {
		return err
	}
	entries, err := dir.ReadDir(-1)
	dir.Close()
	for _, e := range entries {
		child := path.Join(name, e.Name())
		if _, own := l.made[child]; own {
			err = errors.Join(err, l.prune(child))
		} else {
			err = errors.Join(err, l.tree.remove(child))
		}
	}
	return err
}

// stays decides what happens to an entry that is no directory where another
// package has put something: as with dpkg, a directory or a symlink that is
// there stays, and a file replaces a file. It returns the resolved name of what
// stays.
func (l *layer) stays(h *tar.Header, name string) (string, error) {
	d, err := l.tree.parent(name)
	if err != nil {
		return "", err
	}
	real := path.Join(d.name, path.Base(name))
	info, err := d.root.Lstat(path.Base(name))
	switch {
	case err != nil:
		return "", nil
	case h.Typeflag == tar.TypeSymlink:
		return real, nil
	case info.IsDir():
		return "", fmt.Errorf("%q is a file, but another package has a directory there", name)
	}
	if _, own := l.made[real]; !own {
		l.tree.notes.add("several packages have these files; the last one's are taken", real)
	}
	return "", nil
}
