package pkgdef

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// RootOptions steer Definition.Root.
type RootOptions struct {
	// NotAfter, if not zero, is the latest time that any file bears.
	NotAfter time.Time
	// Used are paths to pack besides those of the list: what a trial found out.
	Used []string
	// Leave is the absolute path of a file that is left out where whole
	// directories are packed: the package that is being made.
	Leave string
	// Picked, if set, hears of each file of this machine that is packed.
	Picked func(source string)
	// Warn, if set, hears of what is packed otherwise than one might think.
	Warn func(string)

	maxNodes int // for tests; 0 means the format's limit
}

func (o *RootOptions) nodes() int { return cmp.Or(o.maxNodes, spk.MaxNodes) }

// Root builds what is packed: the files of the list and those to be included
// always, out of tree, with what every package has.
func (d *Definition) Root(tree *Tree, opts RootOptions) (*spk.Node, error) {
	if d.FileList == "" && len(d.AlwaysInclude)+len(opts.Used) == 0 {
		return nil, fmt.Errorf("%s: neither fileList nor alwaysInclude says what to pack", d.File)
	}
	p := &picker{tree: tree, opts: opts, root: spk.NewDirectory("")}
	if d.FileList != "" {
		lines, err := ReadFileList(d.FileList)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if err := p.pick(l.Path, false); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", d.FileList, l.Number, err)
			}
		}
	}
	for _, name := range d.AlwaysInclude {
		clean, err := cleanPath(name)
		if err == nil {
			err = p.pick(clean, true)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: alwaysInclude: %w", d.File, err)
		}
	}
	for _, name := range opts.Used {
		if err := p.pick(name, false); err != nil {
			return nil, err
		}
	}
	for name := range tree.made {
		if err := p.pick(name, false); err != nil {
			return nil, err
		}
	}
	date(p.root)
	return p.root, nil
}

// Everything builds a package's root of all that the tree shows.
func (t *Tree) Everything(opts RootOptions) (*spk.Node, error) {
	p := &picker{tree: t, opts: opts, root: spk.NewDirectory("")}
	err := p.pickAll("")
	date(p.root)
	return p.root, err
}

// picker copies paths of a tree into what is packed.
type picker struct {
	tree  *Tree
	opts  RootOptions
	root  *spk.Node
	nodes int // so far; a few may count twice
}

// pick adds a path and, if deep, all below. "." is the root, which is there
// already.
func (p *picker) pick(name string, deep bool) error {
	switch {
	case name == "." && deep:
		return p.pickAll("")
	case name == ".":
		return nil
	}
	e, err := p.tree.Resolve(name)
	if errors.Is(err, fs.ErrNotExist) {
		//lint:ignore ST1005 scripts know this sentence
		return fmt.Errorf("No file found to satisfy requirement: %s", name)
	}
	if err != nil {
		return err
	}
	return p.pickEntry(name, e, deep)
}

func (p *picker) pickEntry(name string, e *Entry, deep bool) error {
	if p.nodes++; p.nodes > p.opts.nodes() {
		return fmt.Errorf("%q: more than %d files, which is more than a package may hold: name less in alwaysInclude, or hide directories with hidePaths", name, p.opts.nodes())
	}
	if deep && e.Source != "" && e.Source == p.opts.Leave {
		return nil
	}
	node, err := p.node(name, e)
	if err != nil {
		return err
	}
	if node, err = p.put(name, node); err != nil {
		return err
	}
	if !deep || !node.IsDir() {
		return nil
	}
	return p.pickAll(name)
}

// pickAll adds everything in a directory.
func (p *picker) pickAll(dir string) error {
	names, err := p.tree.Names(dir)
	if err != nil {
		return fmt.Errorf("list %q: %w", dir, err)
	}
	for _, name := range names {
		name = path.Join(dir, name)
		e, err := p.tree.Resolve(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a keyring, or it has vanished just now
		}
		if err == nil {
			err = p.pickEntry(name, e, true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// put places a node unless its path is taken by the same already.
func (p *picker) put(name string, node *spk.Node) (*spk.Node, error) {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	if there := p.root.At(name); there != nil {
		if there.IsDir() && !node.IsDir() {
			return nil, fmt.Errorf("%q is a symlink or a file, but something below it is listed as well: list what it leads to", name)
		}
		if there.IsDir() && node.IsDir() && there.MTime.IsZero() {
			there.MTime = node.MTime
		}
		return there, nil
	}
	node.Name = base
	if err := p.root.PutAt(dir, node); err != nil {
		return nil, fmt.Errorf("%q is listed, but %q is a symlink or a file: list what it leads to", name, dir)
	}
	return node, nil
}

func (p *picker) node(name string, e *Entry) (*spk.Node, error) {
	switch {
	case e.Dir:
		return spk.NewDirectory(path.Base(name)), nil
	case e.Source == "":
		return spk.NewFile(path.Base(name), e.Content, e.Exec), nil
	}
	source := e.Source
	if source == e.Root {
		var err error
		if source, err = filepath.EvalSymlinks(source); err != nil {
			return nil, err
		}
	}
	if p.opts.Picked != nil {
		p.opts.Picked(source)
	}
	return spk.ReadFile(path.Base(name), source, spk.TreeOptions{NotAfter: p.opts.NotAfter, Warn: func(file string) {
		if p.opts.Warn != nil {
			p.opts.Warn(file + " is neither a file nor a directory; it is packed as an empty file")
		}
	}})
}

// date gives directories that no file system has dated the time of the newest
// thing in them, so that equal files make equal packages.
func date(n *spk.Node) time.Time {
	newest := n.MTime
	for _, c := range n.Children() {
		if t := date(c); n.MTime.IsZero() && t.After(newest) {
			newest = t
		}
	}
	if n.IsDir() {
		n.MTime = newest
	}
	return n.MTime
}
