package rootfs

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Missing is a library, or a dynamic linker, that is not where the dynamic
// linker would look for it.
type Missing struct {
	Library  string   // its name, or for a dynamic linker its absolute path
	NeededBy []string // files relative to the root, sorted
}

func (m Missing) String() string {
	by := m.NeededBy[0]
	if n := len(m.NeededBy) - 1; n > 0 {
		by += fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s (needed by %s)", m.Library, by)
}

// MissingLibraries looks at every program and library for 64-bit x86 below a
// root, and returns what they need and the root does not have. dirs are further
// places to look, as in LD_LIBRARY_PATH.
//
// A library is taken as found if any program's or library's own search path
// (DT_RUNPATH, DT_RPATH) leads to it, as that may have loaded it before; so
// what is returned is missing indeed.
func MissingLibraries(root string, dirs ...string) ([]Missing, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	l := newLinker(r)
	for _, d := range dirs {
		l.dirs = append(l.dirs, strings.TrimPrefix(path.Clean("/"+d), "/"))
	}
	if err := l.scan(r); err != nil {
		return nil, err
	}
	return l.missing(), nil
}

// linker finds libraries as the dynamic linker does (ld.so(8)), in one root or
// in several that will become one.
type linker struct {
	roots   []*os.Root
	dirs    []string           // where it looks for all programs
	objects map[string]*object // by their names
	found   map[string]bool    // libraries that were found in the roots
	names   map[string]bool    // all that are needed
}

// standardDirs are those of Debian's, other distributions' and musl's linkers.
var standardDirs = []string{"lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib"}

func newLinker(roots ...*os.Root) *linker {
	return &linker{roots: roots, dirs: slices.Clone(standardDirs), objects: map[string]*object{}, found: map[string]bool{}, names: map[string]bool{}}
}

// scan adds all programs and libraries of a root, with their search paths.
func (l *linker) scan(root *os.Root) error {
	for _, dir := range configured(root) {
		l.addDir(dir)
	}
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
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
func (l *linker) find(root *os.Root, library string) (place string, ok bool) {
	for _, place := range l.places(library) {
		real, _, err := follow(root, place, false)
		if err == nil && open(root, real) != nil {
			return place, true
		}
	}
	return "", false
}

// needs returns everything that an object asks for.
func (o *object) needs() []string {
	if o.interp != "" {
		return append([]string{o.interp}, o.needed...)
	}
	return o.needed
}

func (l *linker) has(library string) bool {
	for i := 0; !l.found[library] && i < len(l.roots); i++ {
		_, l.found[library] = l.find(l.roots[i], library)
	}
	return l.found[library]
}

func (l *linker) missing() []Missing {
	lacks := map[string]bool{}
	for library := range l.names {
		lacks[library] = !l.has(library)
	}
	by := map[string][]string{}
	for name, o := range l.objects {
		for _, library := range o.needs() {
			if names := by[library]; lacks[library] && (len(names) == 0 || names[len(names)-1] != name) {
				by[library] = append(names, name)
			}
		}
	}
	list := make([]Missing, 0, len(by))
	for library, names := range by {
		slices.Sort(names)
		list = append(list, Missing{library, names})
	}
	slices.SortFunc(list, func(a, b Missing) int { return strings.Compare(a.Library, b.Library) })
	return list
}
