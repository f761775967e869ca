package capnplang

import (
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// source is the text of one schema file.
type source struct {
	name string // for messages
	text string
	fsys fs.FS  // nil on disk
	path string // in fsys, or on disk
	id   string // equal for the same file
	root *decl
}

// loader holds all files that one evaluation touches.
type loader struct {
	opts       Options
	main       *source // the file that was asked for
	files      map[string]*decl
	builtins   []fs.FS
	embeds     map[string]*embedded
	sourceLeft int64 // bytes that may still be read as schemas
	embedLeft  int64 // and as embedded files
	chain      int   // declarations being resolved
	maxWords   int64 // of a value
	maxJSON    int   // bytes
}

func newLoader(opts Options) *loader {
	if opts.MaxFile <= 0 {
		opts.MaxFile = defaultMaxFile
	}
	l := &loader{
		opts: opts, files: map[string]*decl{}, embeds: map[string]*embedded{},
		maxWords: maxWords, maxJSON: maxJSON, sourceLeft: maxSources, embedLeft: totalFactor * opts.MaxFile,
		builtins: []fs.FS{ownSchemas()},
	}
	if opts.Builtin != nil {
		l.builtins = append([]fs.FS{opts.Builtin}, l.builtins...)
	}
	return l
}

// open loads the first file.
func (l *loader) open(name string) (*decl, error) {
	src := diskSource(name)
	text, err := l.read(src, maxSource, &l.sourceLeft)
	if err != nil {
		return nil, (&source{name: name}).errorf(0, "cannot read this file: %s", reason(err))
	}
	src.text = text
	l.main = src
	root, bad := l.add(src)
	if bad != nil {
		return nil, bad
	}
	return root, nil
}

func diskSource(name string) *source {
	id, err := filepath.Abs(name)
	if err != nil {
		id = name
	}
	return &source{name: name, path: name, id: "disk:" + id}
}

func (l *loader) add(src *source) (*decl, *Error) {
	root, err := parse(src)
	if err != nil {
		return nil, err
	}
	l.files[src.id] = root
	return root, nil
}

// candidates lists where a file may be that another one names: relative to it,
// or below the import path and then among the built-in ones if the name starts
// with "/".
func (l *loader) candidates(from *source, name string) []*source {
	rooted, isRooted := strings.CutPrefix(name, "/")
	if !isRooted {
		if from.fsys != nil {
			p := path.Join(path.Dir(from.path), name)
			return []*source{{name: "/" + p, path: p, fsys: from.fsys, id: "builtin:" + p}}
		}
		return []*source{diskSource(filepath.Join(filepath.Dir(from.path), name))}
	}
	var all []*source
	for _, dir := range l.opts.ImportPath {
		all = append(all, diskSource(filepath.Join(dir, rooted)))
	}
	p := path.Clean(rooted)
	for _, fsys := range l.builtins {
		all = append(all, &source{name: "/" + p, path: p, fsys: fsys, id: "builtin:" + p})
	}
	return all
}

// importFile gives the file that an import names.
func (l *loader) importFile(from *source, e *expr) (*decl, *Error) {
	for _, src := range l.candidates(from, e.text) {
		if root := l.files[src.id]; root != nil {
			return root, nil
		}
		if len(l.files) >= maxFiles {
			return nil, from.errorf(e.pos, "more than %d files are imported", maxFiles)
		}
		text, err := l.read(src, maxSource, &l.sourceLeft)
		if notThere(err) {
			continue
		}
		if err != nil {
			return nil, from.errorf(e.pos, "cannot import “%s”: %s", shorten(e.text), reason(err))
		}
		src.text = text
		return l.add(src)
	}
	return nil, from.errorf(e.pos, "cannot import “%s”: there is no such file", shorten(e.text)).
		hint("%s", l.whereHint(e.text))
}

func (l *loader) whereHint(name string) string {
	if !strings.HasPrefix(name, "/") {
		return "The path is relative to the directory of the file that names it."
	}
	if len(l.opts.ImportPath) == 0 {
		return "A path that starts with “/” is looked up in the import path (-I), which is empty, and among the built-in schemas."
	}
	return "A path that starts with “/” is looked up in the import path, " + strings.Join(l.opts.ImportPath, ", ") +
		", and among the built-in schemas."
}
