package pkgdef

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// BridgeName is the bridge's program in the package's root.
const BridgeName = "sandstorm-http-bridge"

// mountPoints are the directories that a grain gets of its own: in the package
// they are empty, whatever a mapping has there.
var mountPoints = []string{"dev", "tmp", "var"}

// Tree is everything that a definition's source map shows, together with what
// is made and not read: the manifest, the bridge and its configuration, and the
// mount points. Its methods may be called concurrently.
type Tree struct {
	sources []Mapping
	made    map[string]*Entry
	offered map[string]*Entry // what is made, but only where a list names it
	opts    TreeOptions
	keyring fs.FileInfo // nil if there is none
}

// Entry is what lies at a path of a Tree.
type Entry struct {
	Source  string // absolute path on this machine; empty if it is made
	Root    string // what the mapping names: only it may be a symlink to what is meant
	Content []byte // of a made file
	Dir     bool   // it is a made directory, and empty but for what is made in it
	Exec    bool   // it is a made program
}

// TreeOptions steer Definition.Tree.
type TreeOptions struct {
	// Bridge is the content of the program sandstorm-http-bridge.
	Bridge []byte
	// Add are mappings to look into after the definition's own.
	Add []Mapping
	// Keyring is the path of the packager's keyring. Wherever it lies, the tree
	// does not show it: who has a package would have the key to the app.
	Keyring string
}

// Tree returns what the definition's source map shows.
func (d *Definition) Tree(opts TreeOptions) *Tree {
	t := &Tree{opts: opts, sources: slices.Concat(d.Sources, opts.Add), made: map[string]*Entry{
		spk.ManifestName: {Content: d.Manifest},
		"proc/cpuinfo":   {},
		"proc":           {Dir: true},
	}}
	for _, name := range mountPoints {
		t.made[name] = &Entry{Dir: true}
	}
	if opts.Keyring != "" {
		t.keyring, _ = os.Stat(opts.Keyring) // it need not be there
	}
	t.offered = map[string]*Entry{spk.BridgeConfigName: {Content: d.BridgeConfig}}
	if opts.Bridge != nil {
		t.offered[BridgeName] = &Entry{Content: opts.Bridge, Exec: true}
	}
	if d.WantsBridge {
		maps.Copy(t.made, t.offered)
	}
	return t
}

// Bounded reports whether the tree shows no more than what somebody put together
// for an app: not, as is usual in development, the whole system.
func (t *Tree) Bounded() bool {
	return !slices.ContainsFunc(t.sources, func(m Mapping) bool { return m.Source == "/" })
}

// Options are what the tree was made with.
func (t *Tree) Options() TreeOptions { return t.opts }

// Resolve finds what lies at a clean path below the root, which is "". It is
// fs.ErrNotExist if nothing does.
func (t *Tree) Resolve(p string) (*Entry, error) {
	if e := cmp.Or(t.made[p], t.offered[p]); e != nil {
		return e, nil
	}
	if underMountPoint(p) {
		return nil, fs.ErrNotExist
	}
	for i := range t.sources {
		file, info, err := t.sources[i].stat(p)
		if err == nil && t.isKeyring(p, info) {
			return nil, fs.ErrNotExist
		}
		if err == nil {
			return &Entry{Source: file, Root: t.sources[i].Source}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if t.implied(p) {
		return &Entry{Dir: true}, nil
	}
	return nil, fs.ErrNotExist
}

// isKeyring reports whether a file is the packager's keyring, or somebody's to
// judge by its name.
func (t *Tree) isKeyring(p string, info fs.FileInfo) bool {
	dir, name := path.Split(p)
	return name == ".sandstorm-keyring" || name == "sandstorm-keyring" && path.Base(dir) == ".sandstorm" ||
		t.keyring != nil && os.SameFile(t.keyring, info)
}

// implied reports whether p is a directory only because a mapping lies below.
func (t *Tree) implied(p string) bool {
	if p == "" {
		return true
	}
	return slices.ContainsFunc(t.sources, func(m Mapping) bool {
		_, ok := strings.CutPrefix(m.Package, p+"/")
		return ok
	})
}

// Names lists a directory, sorted: what is made and what all mappings have
// there. It is fs.ErrNotExist if there is no such directory.
func (t *Tree) Names(dir string) ([]string, error) {
	names := map[string]bool{}
	for p := range t.made {
		if parent, name := path.Split(p); strings.TrimSuffix(parent, "/") == dir {
			names[name] = true
		}
	}
	found := len(names) > 0 || t.made[dir] != nil || t.implied(dir)
	if slices.Contains(mountPoints, dir) {
		return nil, nil
	}
	for i := range t.sources {
		in, err := t.sources[i].names(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		found = found || err == nil
		for _, name := range in {
			names[name] = true
		}
	}
	if !found {
		return nil, fs.ErrNotExist
	}
	out := make([]string, 0, len(names))
	for name := range names {
		out = append(out, name)
	}
	slices.Sort(out)
	return out, nil
}

// names lists what one mapping has in a directory of the package.
func (m *Mapping) names(dir string) ([]string, error) {
	if rest, ok := strings.CutPrefix(m.Package, dir+"/"); ok && dir != "" || dir == "" && m.Package != "" {
		if dir == "" {
			rest = m.Package
		}
		name, _, _ := strings.Cut(rest, "/")
		return []string{name}, nil
	}
	file, info, err := m.stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fs.ErrNotExist
	}
	entries, err := os.ReadDir(file)
	if err != nil {
		return nil, err
	}
	rel, _ := below(m.Package, dir)
	var out []string
	for _, e := range entries {
		if !m.hides(path.Join(rel, e.Name())) {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// underMountPoint reports whether a grain could never see p.
func underMountPoint(p string) bool {
	top, _, deep := strings.Cut(p, "/")
	return deep && slices.Contains(mountPoints, top)
}
