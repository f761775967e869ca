package pkgdef

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sandstorm-go/sandstorm/schema"
)

// Mapping shows a file or directory of this machine in the package
// (packages.md §5).
type Mapping struct {
	Package string   // path in the package; empty is its root
	Source  string   // absolute path on this machine
	Hide    []string // paths below Source that this mapping does not show
}

func (d *Definition) readSources(def schema.PackageDefinition) error {
	m, err := def.SourceMap()
	if err != nil {
		return err
	}
	list, err := m.SearchPath()
	if err != nil {
		return err
	}
	r := &reader{}
	for i := range list.Len() {
		m := Mapping{Package: r.text(list.At(i).PackagePath()), Source: r.text(list.At(i).SourcePath())}
		hide, err := list.At(i).HidePaths()
		r.fail(err)
		for j := range hide.Len() {
			m.Hide = append(m.Hide, path.Clean(strings.TrimPrefix(r.text(hide.At(j)), "/")))
		}
		if r.err != nil {
			return r.err
		}
		if strings.HasPrefix(m.Package, "/") {
			return fmt.Errorf("sourceMap: packagePath %q starts with a slash; leave it out", m.Package)
		}
		if m.Package = path.Clean(m.Package); m.Package == "." {
			m.Package = ""
		}
		if m.Package == ".." || strings.HasPrefix(m.Package, "../") {
			return fmt.Errorf("sourceMap: packagePath %q leads out of the package", m.Package)
		}
		if !filepath.IsAbs(m.Source) {
			m.Source = filepath.Join(filepath.Dir(d.File), m.Source)
		}
		if m.Source, err = filepath.Abs(m.Source); err != nil {
			return err
		}
		d.Sources = append(d.Sources, m)
	}
	if len(d.Sources) == 0 {
		return errors.New("sourceMap: searchPath is empty: say where the files come from")
	}
	return nil
}

// file is where the mapping has the package's path p, if it shows it at all.
func (m *Mapping) file(p string) (file string, root, ok bool) {
	rel, ok := below(m.Package, p)
	if !ok || m.hides(rel) {
		return "", false, false
	}
	return filepath.Join(m.Source, rel), rel == "", true
}

// hides reports whether a path below Source is hidden, or lies below one.
func (m *Mapping) hides(rel string) bool {
	for _, h := range m.Hide {
		if _, ok := below(h, rel); ok && h != "." {
			return true
		}
	}
	return false
}

// below returns p relative to dir if it is dir or lies below. Both are clean and
// relative; "" is the root.
func below(dir, p string) (rel string, ok bool) {
	if dir == "" || dir == p {
		return strings.TrimPrefix(p, dir), true
	}
	return strings.CutPrefix(p, dir+"/")
}

// stat looks at what the mapping has at p. The file that the mapping itself
// names may be a symlink to what is meant; below it symlinks are what they are.
func (m *Mapping) stat(p string) (file string, info fs.FileInfo, err error) {
	file, root, ok := m.file(p)
	if !ok {
		return "", nil, fs.ErrNotExist
	}
	if root {
		info, err = os.Stat(file)
	} else {
		info, err = os.Lstat(file)
	}
	if errors.Is(err, syscall.ENOTDIR) {
		err = fs.ErrNotExist
	}
	return file, info, err
}
