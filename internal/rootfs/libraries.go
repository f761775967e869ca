package rootfs

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// missingLibrary is a library, or a dynamic linker, that is not where the dynamic
// linker would look for it.
type missingLibrary struct {
	Library  string   // its name, or for a dynamic linker its absolute path
	NeededBy []string // files relative to the root, sorted
}

func (m missingLibrary) String() string {
	by := m.NeededBy[0]
	if n := len(m.NeededBy) - 1; n > 0 {
		by += fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s (needed by %s)", m.Library, by)
}

// linker finds libraries as the dynamic linker does (ld.so(8)), in one root or
// in several that will become one.
//
// A library is taken as found if any program's or library's own search path
// (DT_RUNPATH, DT_RPATH) leads to it, as that may have loaded it before; so what
// is said to be missing is missing indeed.
type linker struct {
	roots   []*os.Root
	dirs    []string           // where it looks for all programs
	objects map[string]*object // by their names
	found   map[string]bool    // libraries that were found in the roots
	names   map[string]bool    // all that are needed
	left    int                // places that may still be looked at
	ctx     context.Context    // of the one call that this lives in
}

// standardDirs are those of Debian's, other distributions' and musl's linkers.
var standardDirs = []string{"lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib"}

func newLinker(ctx context.Context, roots ...*os.Root) *linker {
	return &linker{ctx: ctx, left: maxLooked, roots: roots, dirs: slices.Clone(standardDirs), objects: map[string]*object{}, found: map[string]bool{}, names: map[string]bool{}}
}

// scan adds all programs and libraries of a root, with their search paths.
func (l *linker) scan(root *os.Root) error {
	for _, dir := range configured(root) {
		l.addDir(dir)
	}
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = context.Cause(l.ctx)
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if o := open(root, name); o != nil {
			return l.add(name, o)
		}
		return nil
	})
}

// maxLibraries bounds how many different libraries are looked for: a file can
// ask for a thousand names that no other asks for.
const maxLibraries = 5000

// maxLooked bounds at how many places is looked: libraries that need each other
// in a row, and search paths with many directories, make that many more.
const maxLooked = 2_000_000

func (l *linker) add(name string, o *object) error {
	l.objects[name] = o
	for _, n := range o.needs() {
		l.names[n] = true
	}
	if len(l.names) > maxLibraries {
		return fmt.Errorf("the programs need more than %d different libraries", maxLibraries)
	}
	for _, dir := range o.search {
		l.addDir(expand(dir, path.Dir(name)))
	}
	return nil
}

func (l *linker) addDir(dir string) {
	if dir != "" && !slices.Contains(l.dirs, dir) && len(l.dirs) < 1000 {
		l.dirs = append(l.dirs, dir)
	}
}

// expand fills in what a search path may refer to: the directory of the file
// that it stands in, and the platform. It is empty for a relative path, which
// would depend on where the program is started.
func expand(dir, origin string) string {
	r := strings.NewReplacer("$ORIGIN", "/"+origin, "${ORIGIN}", "/"+origin, "$LIB", "lib/x86_64-linux-gnu", "${LIB}", "lib/x86_64-linux-gnu", "$PLATFORM", "x86_64", "${PLATFORM}", "x86_64")
	dir = r.Replace(dir)
	if !strings.HasPrefix(dir, "/") {
		return ""
	}
	return strings.TrimPrefix(path.Clean(dir), "/")
}

// open returns nil for what is no program or library.
func open(root *os.Root, name string) *object {
	// A pipe of that name must not make it wait.
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	var magic [4]byte
	if _, err := f.ReadAt(magic[:], 0); err != nil || !bytes.Equal(magic[:], []byte("\x7fELF")) {
		return nil
	}
	return readObject(f)
}

// places are where a library may be.
func (l *linker) places(library string) []string {
	if strings.HasPrefix(library, "/") {
		return []string{strings.TrimPrefix(path.Clean(library), "/")}
	}
	places := make([]string, 0, len(l.dirs))
	for _, dir := range l.dirs {
		places = append(places, path.Join(dir, library))
	}
	return places
}

// find looks for a library and returns under which name it is there.
func (l *linker) find(root *os.Root, library string) (place string, ok bool, err error) {
	for _, place := range l.places(library) {
		if l.left--; l.left < 0 {
			return "", false, fmt.Errorf("shared libraries are looked for at more than %d places: are the search paths in the programs (DT_RUNPATH) right?", maxLooked)
		}
		if err := context.Cause(l.ctx); err != nil {
			return "", false, err
		}
		real, _, err := follow(root, place, false)
		if err == nil && open(root, real) != nil {
			return place, true, nil
		}
	}
	return "", false, nil
}

// needs returns everything that an object asks for.
func (o *object) needs() []string {
	if o.interp != "" {
		return append([]string{o.interp}, o.needed...)
	}
	return o.needed
}

func (l *linker) has(library string) (bool, error) {
	for i := 0; !l.found[library] && i < len(l.roots); i++ {
		_, ok, err := l.find(l.roots[i], library)
		if err != nil {
			return false, err
		}
		l.found[library] = ok
	}
	return l.found[library], nil
}

func (l *linker) missing() ([]missingLibrary, error) {
	lacks := map[string]bool{}
	for library := range l.names {
		has, err := l.has(library)
		if err != nil {
			return nil, err
		}
		lacks[library] = !has
	}
	by := map[string][]string{}
	for name, o := range l.objects {
		for _, library := range o.needs() {
			if names := by[library]; lacks[library] && (len(names) == 0 || names[len(names)-1] != name) {
				by[library] = append(names, name)
			}
		}
	}
	list := make([]missingLibrary, 0, len(by))
	for library, names := range by {
		slices.Sort(names)
		list = append(list, missingLibrary{library, names})
	}
	slices.SortFunc(list, func(a, b missingLibrary) int { return strings.Compare(a.Library, b.Library) })
	return list, nil
}
