package spk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Node is a file, directory or symlink that is to be packed. Make it with
// NewDirectory, NewFile, NewSymlink or ReadTree.
type Node struct {
	Name  string
	MTime time.Time // the zero time stands for 1970

	kind     entryKind
	size     int64
	open     func() (io.ReadCloser, error) // content of a file; may be called twice
	target   string                        // of a symlink
	children []*Node
	byName   map[string]*Node // the children: directories with many are common
}

// NewDirectory makes an empty directory.
func NewDirectory(name string) *Node { return &Node{Name: name, kind: kindDirectory} }

// NewFile makes a file that holds content.
func NewFile(name string, content []byte, executable bool) *Node {
	n := &Node{Name: name, kind: kindRegular, size: int64(len(content))}
	if executable {
		n.kind = kindExecutable
	}
	n.open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	return n
}

// NewSymlink makes a symlink. The target is not looked at.
func NewSymlink(name, target string) *Node {
	return &Node{Name: name, kind: kindSymlink, target: target}
}

// IsDir reports whether the node is a directory.
func (n *Node) IsDir() bool { return n.kind == kindDirectory }

// Children are the entries of a directory.
func (n *Node) Children() []*Node { return n.children }

// Child returns the entry with that name, or nil.
func (n *Node) Child(name string) *Node { return n.byName[name] }

// At returns what lies at a path below the directory ("a/b"), or nil.
func (n *Node) At(path string) *Node {
	for name := range strings.SplitSeq(path, "/") {
		if n = n.Child(name); n == nil {
			return nil
		}
	}
	return n
}

// Put adds child to the directory in place of what had its name.
func (n *Node) Put(child *Node) {
	if old := n.byName[child.Name]; old != nil {
		n.children[slices.Index(n.children, old)] = child
	} else {
		n.children = append(n.children, child)
	}
	if n.byName == nil {
		n.byName = make(map[string]*Node)
	}
	n.byName[child.Name] = child
}

// PutAt adds child to the directory with the given path below n ("" or "a/b"),
// which is made if need be. It fails if something else is in the way.
func (n *Node) PutAt(path string, child *Node) error {
	dir := n
	for name := range strings.SplitSeq(path, "/") {
		if path == "" {
			break
		}
		next := dir.Child(name)
		if next == nil {
			next = NewDirectory(name)
			dir.Put(next)
		}
		if !next.IsDir() {
			return fmt.Errorf("pack: %q is not a directory", path)
		}
		dir = next
	}
	dir.Put(child)
	return nil
}

// AddMountPoints makes sure of the places where a grain's own directories go:
// dev, tmp, var and proc/cpuinfo. A package without them gets none mounted.
func (n *Node) AddMountPoints() error {
	for _, name := range []string{"dev", "tmp", "var", "proc"} {
		if c := n.Child(name); c == nil {
			n.Put(NewDirectory(name))
		} else if !c.IsDir() {
			return fmt.Errorf("pack: %q must be a directory", name)
		}
	}
	if proc := n.Child("proc"); proc.Child("cpuinfo") == nil {
		proc.Put(NewFile("cpuinfo", nil, false))
	}
	return nil
}

// prepare sorts the tree bytewise, as all packages are, and checks what cannot
// be packed. The rules are those of unpacking, so that what is written can be
// read.
func (n *Node) prepare(dir string, depth int, count *int) error {
	if depth > MaxDepth {
		return fmt.Errorf("pack: %q: more than %d levels of directories", dir, MaxDepth)
	}
	slices.SortFunc(n.children, func(a, b *Node) int { return strings.Compare(a.Name, b.Name) })
	for i, c := range n.children {
		if *count++; *count > MaxNodes {
			return fmt.Errorf("pack: more than %d files", MaxNodes)
		}
		e := entry{kind: c.kind, name: c.Name, path: dir + c.Name, content: []byte(c.target)}
		if i > 0 && n.children[i-1].Name == c.Name {
			return fmt.Errorf("pack: %q occurs twice", e.path)
		}
		err := errors.Join(checkName(c.Name, e.path), checkRootEntry(e))
		if c.kind == kindSymlink {
			err = errors.Join(err, checkTarget(e))
		}
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		if c.size > MaxFile {
			return fmt.Errorf("pack: %q has %d bytes, but a file in a package has at most %d: leave it out or split it", e.path, c.size, MaxFile)
		}
		if err := c.prepare(e.path+"/", depth+1, count); err != nil {
			return err
		}
	}
	return nil
}

// mtimeNs is the node's time as packages hold it.
func (n *Node) mtimeNs() int64 {
	if n.MTime.IsZero() {
		return 0
	}
	return n.MTime.UnixNano()
}
