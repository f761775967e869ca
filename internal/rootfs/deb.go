package rootfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// debList is a file that lists Debian packages; see selection for its form.
//
// The packages are not installed: their scripts do not run, so that there are
// no alternatives (/etc/alternatives), caches and users.
type debList struct{ path string }

// Unpack implements Source.
func (d debList) Unpack(ctx context.Context, into string, opts Options) (*Image, error) {
	opts = opts.withDefaults()
	s, err := readSelection(d.path)
	var img *Image
	if err == nil {
		img, err = s.unpack(ctx, into, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("list of Debian packages %s: %w", d.path, err)
	}
	return img, nil
}

func (s *selection) unpack(ctx context.Context, into string, opts Options) (*Image, error) {
	files, err := s.files(ctx, opts)
	if err != nil {
		return nil, err
	}
	work, err := newWork(into)
	if err != nil {
		return nil, err
	}
	defer work.discard()
	pool := filepath.Join(work.dir, "pool")
	if opts.Pool != "" {
		pool = opts.Pool
	}
	if err := os.Mkdir(pool, 0o755); err != nil {
		return nil, err
	}
	done := false
	defer func() {
		if !done {
			_ = os.RemoveAll(pool)
		}
	}()
	n := &notes{}
	packages, err := unpackPool(ctx, files, pool, opts, n)
	if err != nil {
		return nil, err
	}
	if err := s.fill(ctx, work, pool, packages, opts.Pool != "", n); err != nil {
		return nil, err
	}
	if err := work.publish(); err != nil {
		return nil, err
	}
	done = true
	img := &Image{WorkDir: "/", Warnings: n.all()}
	for _, p := range packages {
		img.Packages = append(img.Packages, p.String())
	}
	slices.Sort(img.Packages)
	return img, nil
}

// debFile is a package's file.
type debFile struct {
	line int // of the list; 0 for what another depends on
	path string
}

// files finds or fetches the packages, in the order of the list.
func (s *selection) files(ctx context.Context, opts Options) ([]debFile, error) {
	var named []selected
	var files []debFile
	for _, e := range s.entries {
		if e.file == "" {
			named = append(named, e)
		}
	}
	if named == nil && s.depends {
		return nil, errors.New("@depends has no effect on .deb files; list what they depend on")
	}
	var records []*record
	var a *apt
	if named != nil {
		var err error
		if a, err = newApt(opts.Cache, opts.run); err != nil {
			return nil, err
		}
		if records, err = a.resolve(ctx, named, s.depends); err != nil {
			return nil, err
		}
		if err := a.fetch(ctx, records, opts.Progress); err != nil {
			return nil, err
		}
	}
	for _, e := range s.entries {
		if e.file != "" {
			files = append(files, debFile{e.line, e.file})
			continue
		}
		files = append(files, debFile{e.line, filepath.Join(a.cache, records[0].fileName())})
		records = records[1:]
	}
	for _, r := range records { // what they depend on
		files = append(files, debFile{0, filepath.Join(a.cache, r.fileName())})
	}
	return files, nil
}

// merged are the directories that Debian has had below /usr since 2019, while
// some packages still name the old ones.
var merged = []string{"bin", "sbin", "lib", "lib64"}

// unpackPool unpacks all of the packages into a directory.
func unpackPool(ctx context.Context, files []debFile, pool string, opts Options, n *notes) ([]debInfo, error) {
	t, err := newTree(pool, newBudget(opts), n)
	if err != nil {
		return nil, err
	}
	if err := mergeUsr(t); err != nil {
		return nil, errors.Join(err, t.finish())
	}
	var packages []debInfo
	for i, f := range files {
		opts.Progress(fmt.Sprintf("package %d of %d: %s", i+1, len(files), filepath.Base(f.path)))
		info, err := unpackDeb(ctx, t, f.path)
		if i := slices.IndexFunc(packages, func(p debInfo) bool { return p.name == info.name }); err == nil && i >= 0 {
			err = fmt.Errorf("the list has the package %s twice, as %s and %s", info.name, packages[i], info)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", filepath.Base(f.path), err)
			if f.line > 0 {
				err = lineError{f.line, err}
			}
			return nil, errors.Join(err, t.finish())
		}
		packages = append(packages, info)
	}
	for _, m := range merged {
		if t.root.Remove("usr/"+m) == nil { // it is empty
			_ = t.root.Remove(m)
		}
	}
	return packages, t.finish()
}

// mergeUsr makes the symlinks that lead the old names below /usr.
func mergeUsr(t *tree) error {
	for _, m := range merged {
		if err := makeDirs(t.root, "usr/"+m); err != nil {
			return err
		}
		if _, err := t.putSymlink(m, "usr/"+m, time.Unix(0, 0)); err != nil {
			return err
		}
	}
	return nil
}

func makeDirs(root *os.Root, name string) error {
	_, _, err := follow(root, name, true)
	return err
}

func unpackDeb(ctx context.Context, t *tree, file string) (debInfo, error) {
	f, size, err := openFile(file)
	if err != nil {
		return debInfo{}, err
	}
	defer f.Close()
	return readDeb(ctx, f, size, t.budget, func(_ debInfo, r io.Reader) error {
		l := layer{tree: t, made: map[string]struct{}{}, debian: true}
		return l.apply(r)
	})
}
