package devfs

import (
	"slices"
	"strings"
	"sync"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// list is an open directory: its names as they were when it was opened, so that
// reading on at an offset means the same all the time.
type list struct {
	path  string
	names []string
}

// lists are the open directories by handle.
type lists struct {
	mu   sync.Mutex
	open map[uint64]*list
	last uint64
}

func (l *lists) init() { l.open = map[uint64]*list{} }

func (l *lists) add(one *list) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.open[l.last] = one
	return l.last
}

func (l *lists) get(handle uint64) *list {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open[handle]
}

func (l *lists) remove(handle uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, handle)
}

// OpenDir lists a directory.
func (r *raw) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	nd, v, status := r.f.again(in.NodeId)
	if !status.Ok() {
		return status
	}
	defer v.close()
	if !v.isDir() {
		return fuse.ENOTDIR
	}
	names, err := r.f.tree.Names(nd.path)
	if err != nil {
		return r.f.status(nd.path, err)
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !isName(name) })
	slices.Sort(names)
	r.f.trace.use(nd.path)
	out.Fh = r.f.lists.add(&list{path: nd.path, names: names})
	return fuse.OK
}

// isName reports whether the kernel takes name as an entry; if not it would
// fail the whole listing.
func isName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= 255 && !strings.ContainsAny(name, "/\x00")
}

// The first two places of every listing.
var dots = []string{".", ".."}

// ReadDir gives names and kinds.
func (r *raw) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return r.read(in, func(l *list, name string, off uint64) bool {
		e := fuse.DirEntry{Name: name, Off: off, Mode: unix.S_IFDIR}
		if !isDot(name) {
			v, status := r.f.look(join(l.path, name))
			if !status.Ok() {
				return true // gone meanwhile
			}
			e.Mode = v.attr.Mode
			v.close()
		}
		return out.AddDirEntry(e)
	})
}

// ReadDirPlus gives attributes as well, as if each name had been looked up.
func (r *raw) ReadDirPlus(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return r.read(in, func(l *list, name string, off uint64) bool {
		var entry fuse.EntryOut
		if isDot(name) {
			entry.Mode = unix.S_IFDIR // without a number nothing else is looked at
		} else if !r.f.entry(join(l.path, name), &entry).Ok() {
			return true
		}
		to := out.AddDirLookupEntry(fuse.DirEntry{Name: name, Off: off, Mode: entry.Mode, Ino: entry.Ino})
		if to == nil {
			if entry.NodeId != 0 {
				r.f.nodes.forget(entry.NodeId, 1) // it was not told after all
			}
			return false
		}
		*to = entry
		return true
	})
}

func isDot(name string) bool { return name == dots[0] || name == dots[1] }

// read calls add for every entry from the offset on, until one has no room.
func (r *raw) read(in *fuse.ReadIn, add func(l *list, name string, off uint64) bool) fuse.Status {
	l := r.f.lists.get(in.Fh)
	if l == nil {
		return fuse.EBADF
	}
	for i := in.Offset; i < uint64(len(dots)+len(l.names)); i++ {
		name := ""
		if i < uint64(len(dots)) {
			name = dots[i]
		} else {
			name = l.names[i-uint64(len(dots))]
		}
		if !add(l, name, i+1) {
			break
		}
	}
	return fuse.OK
}

func (r *raw) ReleaseDir(in *fuse.ReleaseIn) { r.f.lists.remove(in.Fh) }
