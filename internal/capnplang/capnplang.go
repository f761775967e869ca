// Package capnplang reads Cap'n Proto schema files and evaluates the constants
// in them, without any Cap'n Proto tool. Its main use are package definitions:
// the constant `pkgdef` of a sandstorm-pkgdef.capnp (packages.md §5) becomes a
// message and JSON.
//
// A file's declarations are parsed at once, but types are laid out and constants
// evaluated only when something needs them, as the reference tool does: a
// mistake in a constant that nothing uses is no error.
//
// Sources may come from strangers. All recursion has a depth limit, and the
// size of what is read and of what comes out is bounded, also where few lines
// refer to each other so often that the result would be huge.
package capnplang

import (
	"io/fs"
	"strings"
)

const (
	defaultMaxFile = 64 << 20 // bytes, one embedded file
	totalFactor    = 4        // all files together, in MaxFile
	maxSource      = 1 << 20  // bytes, one schema: parsed it takes a hundred times as much memory
	maxSources     = 2 << 20  // bytes, all schemas together
	maxFiles       = 1000     // schemas
	maxWords       = 8 << 20  // of a value: 64 MiB, far above what any reader accepts
	maxDepth       = 128      // of a value, in pointers; packages.md §2 allows readers as much
	maxNesting     = 100      // of brackets and braces in a source
	maxParts       = 1000     // of a type as it is written, with all aliases written out
	maxChain       = 200      // of declarations that refer to each other
	maxJSON        = 64 << 20 // bytes
)

// Options says where Load looks for what a schema imports.
type Options struct {
	// ImportPath lists directories for imports that start with "/", searched
	// in order, before Builtin.
	ImportPath []string
	// Builtin holds schemas that are always there, by their import path without
	// the leading "/", such as "sandstorm/package.capnp". A few of Cap'n Proto's
	// own (capnp/c++.capnp and others) are built in besides.
	Builtin fs.FS
	// MaxFile bounds each embedded file, in bytes; all of them together may have
	// four times as much. 0 means 64 MiB. Schemas are limited to 1 MiB each.
	MaxFile int64
}

// File is a parsed schema file. It is not safe for concurrent use.
type File struct {
	loader *loader
	root   *decl
}

// Load reads and parses the schema at path. An error in the source is an *Error.
func Load(path string, opts Options) (*File, error) {
	l := newLoader(opts)
	root, err := l.open(path)
	if err != nil {
		return nil, err
	}
	return &File{loader: l, root: root}, nil
}

// Const evaluates the constant of that name; a constant inside of a struct or
// interface is named with what is around it, "Outer.inner". An error in the
// source is an *Error.
func (f *File) Const(name string) (*Value, error) {
	d := f.root
	for part := range strings.SplitSeq(name, ".") {
		next := d.lookup(part)
		if next == nil {
			return nil, f.root.file.errorf(0, "there is no constant “%s” in this file", name).
				hint(suggest(part, d.constNames(), "This file has the constants"))
		}
		d = next
	}
	if d.kind != declConst {
		return nil, d.errorf("“%s” is %s, not a constant", name, d.kind)
	}
	return f.loader.constValue(d)
}
