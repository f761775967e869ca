package capnplang

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
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
	files      map[string]*decl
	builtins   []fs.FS
	embeds     map[string]string
	sourceLeft int64 // bytes that may still be read as schemas
	embedLeft  int64 // and as embedded files
	chain      int   // declarations being resolved
}

func newLoader(opts Options) *loader {
	if opts.MaxFile <= 0 {
		opts.MaxFile = defaultMaxFile
	}
	l := &loader{
		opts: opts, files: map[string]*decl{}, embeds: map[string]string{},
		sourceLeft: maxSources, embedLeft: totalFactor * opts.MaxFile,
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

// embedFile gives the content of the file that an embed names.
func (l *loader) embedFile(from *source, e *expr) (string, *Error) {
	for _, src := range l.candidates(from, e.text) {
		if text, ok := l.embeds[src.id]; ok {
			return text, nil
		}
		text, err := l.read(src, l.opts.MaxFile, &l.embedLeft)
		if notThere(err) {
			continue
		}
		if err != nil {
			return "", from.errorf(e.pos, "cannot embed “%s”: %s", shorten(e.text), reason(err))
		}
		l.embeds[src.id] = text
		return text, nil
	}
	return "", from.errorf(e.pos, "cannot embed “%s”: there is no such file", shorten(e.text)).
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

func notThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrInvalid)
}

// read reads a whole regular file of at most limit bytes and takes its size off
// left.
func (l *loader) read(src *source, limit int64, left *int64) (string, error) {
	f, err := src.openFile()
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	limit = min(limit, *left)
	switch {
	case !info.Mode().IsRegular():
		return "", errors.New("it is not a regular file")
	case info.Size() > limit:
		return "", tooLarge(limit)
	}
	var text strings.Builder
	text.Grow(int(info.Size()))
	n, err := io.Copy(&text, io.LimitReader(f, limit+1))
	if err != nil {
		return "", err
	}
	if n > limit {
		return "", tooLarge(limit) // it grew
	}
	*left -= n
	return text.String(), nil
}

// openFile never waits: opening a pipe without a writer would.
func (s *source) openFile() (fs.File, error) {
	if s.fsys != nil {
		return s.fsys.Open(s.path)
	}
	return os.OpenFile(s.path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
}

type tooLarge int64

func (t tooLarge) Error() string {
	return "it is too large; " + sizeText(int64(t)) + " are left of what may be read"
}

// reason is an error of the file system without the path, which the message
// already has.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return err.Error()
}

func sizeText(n int64) string {
	switch {
	case n >= 1<<20:
		return itoa(n>>20) + " MiB"
	case n >= 1<<10:
		return itoa(n>>10) + " KiB"
	}
	return itoa(n) + " bytes"
}
