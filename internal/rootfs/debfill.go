package rootfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// fill takes from the pool what the list asks for, what that needs, and what
// the packages' licences ask for.
func (s *selection) fill(ctx context.Context, w *work, pool string, packages []debInfo, keepPool bool, n *notes) error {
	p, err := os.OpenRoot(pool)
	if err != nil {
		return err
	}
	defer p.Close()
	root, err := os.OpenRoot(w.root)
	if err != nil {
		return err
	}
	defer root.Close()
	t := &taker{pool: p, root: root, link: !keepPool, leave: s.leave}
	take := s.take
	if take == nil {
		take = []rule{{1, "**", pattern{"**"}}} // everything
	}
	if err := t.patterns(ctx, take); err != nil {
		return err
	}
	if err := t.libraries(ctx, w.into, s.dirs, n); err != nil {
		return err
	}
	if err := t.documents(packages, n); err != nil {
		return err
	}
	times := map[string]time.Time{}
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			if info, err := p.Lstat(name); err == nil && info.IsDir() {
				times[name] = info.ModTime()
			}
		}
		return err
	})
	return errors.Join(err, setDirTimes(root, times))
}

// libraries adds what programs need, also those that are in the destination
// already. It fails if a program out of the packages will not find something.
func (t *taker) libraries(ctx context.Context, into string, dirs []string, n *notes) error {
	l := newLinker(ctx, t.root)
	for _, d := range dirs {
		l.addDir(strings.TrimPrefix(path.Clean("/"+d), "/"))
	}
	if before, err := os.OpenRoot(into); err == nil {
		defer before.Close()
		l.roots = append(l.roots, before)
		if err := l.scan(before); err != nil {
			return err
		}
	}
	foreign := map[string]bool{}
	for name := range l.objects {
		foreign[name] = true
	}
	if err := l.scan(t.root); err != nil {
		return err
	}
	for _, m := range merged {
		if _, err := t.root.Lstat("usr/" + m); err == nil {
			if _, err := t.entry(m); err != nil {
				return err
			}
		}
	}
	if _, err := l.complete(t); err != nil {
		return err
	}
	missing, err := l.missing()
	if err != nil {
		return err
	}
	for _, m := range missing {
		own := slices.DeleteFunc(slices.Clone(m.NeededBy), func(name string) bool { return foreign[name] })
		if len(own) == 0 {
			n.add("these libraries are in none of the packages, though programs that were there before need them", m.Library)
			continue
		}
		m.NeededBy = own
		return t.explain(m)
	}
	return nil
}

// explain says what to do about a library that is missing.
func (t *taker) explain(m missingLibrary) error {
	name := path.Base(m.Library)
	if there := elsewhere(t.pool, name); there != "" {
		return fmt.Errorf("%s is at %s, where the dynamic linker does not look: set LD_LIBRARY_PATH in the app's environment and add a line \"@libraries %s\", or leave the program away with a line \"- %s\"", m, there, path.Dir(there), m.NeededBy[0])
	}
	return fmt.Errorf("%s is in none of the packages: find its package with 'apt-file search %s' or 'dpkg -S %s' and add it to the list, or leave the program away with a line \"- %s\"", m, name, name, m.NeededBy[0])
}

// documents adds the copyright of every package, and the list of them.
func (t *taker) documents(packages []debInfo, n *notes) error {
	var list strings.Builder
	sorted := slices.SortedFunc(slices.Values(packages), func(a, b debInfo) int { return strings.Compare(a.name, b.name) })
	for _, p := range sorted {
		list.WriteString(p.String() + "\n")
		if err := t.path("usr/share/doc/" + p.name + "/copyright"); errors.Is(err, fs.ErrNotExist) {
			where := p.name
			if target, err := t.pool.Readlink("usr/share/doc/" + p.name); err == nil {
				where += ": " + path.Base(target)
			}
			n.add("the copyright file of these packages is missing, or in a package that the list should name, too", where)
		} else if err != nil {
			return err
		}
	}
	dir, _, err := follow(t.root, "usr/share/doc", true)
	if err != nil {
		return err
	}
	name := path.Join(dir, "packages")
	if err := t.root.RemoveAll(name); err != nil {
		return err
	}
	if err := t.root.WriteFile(name, []byte(list.String()), 0o644); err != nil {
		return err
	}
	return errors.Join(t.root.Chmod(name, 0o644), t.root.Chtimes(name, time.Unix(0, 0), time.Unix(0, 0)))
}
