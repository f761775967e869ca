package spk

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"strings"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm/schema"
)

// archiveRoot is the parsed archive.
type archiveRoot struct {
	msg   *capnp.Message
	files schema.Archive_File_List
	limit uint64 // for reading the whole archive once
}

// maxSegments bounds what the segment table makes us allocate. The original put
// large files into segments of their own.
const maxSegments = MaxNodes + 1

// parse looks at the archive for the first time: only now is it known to be
// what the author signed.
func (f *File) parse() (*archiveRoot, error) {
	if f.root != nil {
		f.root.msg.ResetReadLimit(f.root.limit)
		return f.root, nil
	}
	if len(f.archive) < 8 || binary.LittleEndian.Uint32(f.archive) >= maxSegments {
		return nil, badArchive("the archive's segment table is malformed")
	}
	msg, err := capnp.Unmarshal(f.archive)
	if err != nil {
		return nil, badArchive("archive: %w", err)
	}
	root := &archiveRoot{msg: msg, limit: uint64(len(f.archive))}
	// Data may be reached twice only up to the archive's size in all, so that
	// a small archive cannot unpack to a huge tree.
	msg.TraverseLimit, msg.DepthLimit = root.limit, maxHops
	archive, err := schema.ReadRootArchive(msg)
	if err != nil {
		return nil, badArchive("archive: %w", err)
	}
	if root.files, err = archive.Files(); err != nil {
		return nil, badArchive("archive: %w", err)
	}
	f.root = root
	return root, nil
}

// entryKind is what an entry of the archive is.
type entryKind uint8

const (
	kindRegular entryKind = iota
	kindExecutable
	kindSymlink
	kindDirectory
)

// entry is one file, directory or symlink; content is the target of a symlink
// and nil for a directory. Its slices point into the archive.
type entry struct {
	kind    entryKind
	name    string
	path    string
	content []byte
	mtime   int64 // ns since 1970
	dir     schema.Archive_File_List
}

// sink receives the entries of an archive in order. After a directory come its
// children, then leave.
type sink interface {
	add(e entry) error
	leave(dir entry) error
}

// walker checks every rule of the archive tree while it feeds a sink.
type walker struct {
	ctx   context.Context
	sink  sink
	nodes int
	bytes int64
}

// walk visits the whole archive and notes its size in the File's Info.
func (f *File) walk(ctx context.Context, s sink) error {
	root, err := f.parse()
	if err != nil {
		return err
	}
	w := &walker{ctx: ctx, sink: s}
	if err := w.list("", 0, root.files); err != nil {
		return err
	}
	f.info.Unpacked, f.info.Nodes = w.bytes, w.nodes
	return nil
}

func (w *walker) list(dir string, depth int, files schema.Archive_File_List) error {
	n := files.Len()
	if n > 0 && depth > maxDepth {
		// The reader's own limit does not hold: it wraps around when a list
		// is reached with one hop left.
		return badArchive("more than %d levels of directories", maxDepth)
	}
	if w.nodes += n; w.nodes > MaxNodes {
		return badArchive("more than %d files", MaxNodes)
	}
	seen := make(map[string]struct{}, n)
	for i := range n {
		if err := context.Cause(w.ctx); err != nil {
			return err
		}
		file := files.At(i)
		e, err := readEntry(dir, file)
		if err != nil {
			return err
		}
		if _, dup := seen[e.name]; dup {
			return badArchive("%q occurs twice", e.path)
		}
		seen[e.name] = struct{}{}
		if err := w.visit(e, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) visit(e entry, depth int) error {
	if err := checkRootEntry(e); err != nil {
		return err
	}
	if err := w.sink.add(e); err != nil {
		return err
	}
	switch e.kind {
	case kindRegular, kindExecutable:
		w.bytes += int64(len(e.content))
		return nil
	case kindSymlink:
		return nil
	}
	if err := w.list(e.path+"/", depth+1, e.dir); err != nil {
		return err
	}
	return w.sink.leave(e)
}

// readEntry decodes one entry and checks its name and target.
func readEntry(dir string, file schema.Archive_File) (entry, error) {
	ptr, err := capnp.Struct(file).Ptr(0)
	if err != nil {
		return entry{}, badArchive("in %q: %w", dir, err)
	}
	e := entry{name: string(ptr.TextBytes()), mtime: file.LastModificationTimeNs()}
	e.path = dir + e.name
	if err := checkName(e.name, e.path); err != nil {
		return e, err
	}
	content, err := capnp.Struct(file).Ptr(1)
	if err != nil {
		return e, badArchive("%q: %w", e.path, err)
	}
	switch file.Which() {
	case schema.Archive_File_Which_regular, schema.Archive_File_Which_executable:
		if e.kind = kindRegular; file.Which() == schema.Archive_File_Which_executable {
			e.kind = kindExecutable
		}
		if e.content = content.Data(); e.content == nil && content.IsValid() {
			return e, badArchive("%q: its content is not data", e.path)
		}
	case schema.Archive_File_Which_symlink:
		e.kind, e.content = kindSymlink, content.TextBytes()
		return e, checkTarget(e)
	case schema.Archive_File_Which_directory:
		// Not file.Directory(), which would count as reading the list twice.
		e.kind, e.dir = kindDirectory, schema.Archive_File_List(content.List())
		if content.IsValid() && !e.dir.IsValid() {
			return e, badArchive("%q: its content is not a list", e.path)
		}
	default:
		return e, badArchive("%q: unknown kind of entry %d", e.path, file.Which())
	}
	return e, nil
}

// checkName refuses names that could lead out of the directory or that no file
// system can hold. Names are bytes: they need not be UTF-8.
func checkName(name, path string) error {
	switch {
	case name == "", name == ".", name == "..", strings.ContainsAny(name, "/\x00"):
		return badArchive("%q is not a file name", path)
	case len(name) > MaxName, len(path) > MaxPath:
		return badArchive("%.80q…: the name is too long", path)
	}
	return nil
}

// checkTarget refuses symlinks that cannot be made. Where one leads is not our
// business: it is resolved in the grain's root, never by the server.
func checkTarget(e entry) error {
	switch target := string(e.content); {
	case target == "", strings.Contains(target, "\x00"):
		return badArchive("%q: the symlink has no target", e.path)
	case len(target) > MaxPath-1:
		return badArchive("%q: the symlink's target is too long", e.path)
	}
	return nil
}

// checkRootEntry guards the names that the server itself uses: it mounts things
// over some of them and reads others, and must not be led away by a symlink.
func checkRootEntry(e entry) error {
	var ok bool
	switch e.path {
	case "dev", "tmp", "var", "proc":
		ok = e.kind == kindDirectory
	case "proc/cpuinfo", BridgeConfigName:
		ok = e.kind == kindRegular || e.kind == kindExecutable
	case ManifestName:
		ok = e.kind == kindRegular
	default:
		ok = true
	}
	if !ok {
		return badArchive("%q is a %s", e.path, e.kind)
	}
	return nil
}

// String names the kind in errors.
func (k entryKind) String() string {
	return [...]string{"regular file", "executable", "symlink", "directory"}[k]
}

// ReadFile returns a copy of a regular file of the package's root. If there is
// none of that name, the error is fs.ErrNotExist.
func (f *File) ReadFile(name string) (content []byte, err error) {
	err = f.guarded(func() error {
		content, err = f.readFile(name)
		return err
	})
	return content, err
}

func (f *File) readFile(name string) ([]byte, error) {
	root, err := f.parse()
	if err != nil {
		return nil, err
	}
	for i := range root.files.Len() {
		e, err := readEntry("", root.files.At(i))
		if err != nil {
			return nil, err
		}
		if e.name == name {
			if e.kind != kindRegular && e.kind != kindExecutable {
				return nil, badArchive("%q is a %s", name, e.kind)
			}
			return append([]byte{}, e.content...), nil
		}
	}
	return nil, fmt.Errorf("the package has no %q: %w", name, fs.ErrNotExist)
}
