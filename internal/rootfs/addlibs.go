package rootfs

import (
	"io/fs"
	"os"
	"path"
	"slices"
)

// complete adds what the objects need. The search paths of a library that is
// added count from then on, so that it goes round until nothing is new.
func (l *linker) complete(t *taker) ([]string, error) {
	var added []string
	for {
		var fresh []string
		missing, err := l.missing()
		if err != nil {
			return nil, err
		}
		for _, m := range missing {
			place, ok, err := l.find(t.pool, m.Library)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			if err := t.path(place); err != nil {
				return nil, err
			}
			real, _, err := follow(t.pool, place, false)
			if err != nil {
				return nil, err
			}
			if o := open(t.pool, real); o != nil && l.objects[real] == nil {
				if err := l.add(real, o); err != nil {
					return nil, err
				}
				fresh = append(fresh, real)
			}
		}
		if fresh == nil {
			slices.Sort(added)
			return added, nil
		}
		added = append(added, fresh...)
	}
}

// elsewhere looks for a library in all of a root, to say where it is if the
// dynamic linker does not look there.
func elsewhere(root *os.Root, library string) string {
	found := ""
	_ = fs.WalkDir(root.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
		if err == nil && path.Base(name) == path.Base(library) {
			found = name
			return fs.SkipAll
		}
		return nil
	})
	return found
}
