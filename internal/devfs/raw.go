package devfs

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// raw takes requests from the kernel. Requests that it does not know, all of
// them about writing, are answered with ENOSYS by what it embeds; the mount is
// read-only, so that the kernel asks none of them.
type raw struct {
	fuse.RawFileSystem
	f *FS
}

func (r *raw) String() string { return "sandstorm-dev" }
func (r *raw) OnUnmount()     { r.f.files.closeAll(r.f.server) }

// Lookup is asked for every part of every path.
func (r *raw) Lookup(_ <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	dir, ok := r.f.nodes.get(in.NodeId)
	if !ok {
		return fuse.Status(unix.ESTALE)
	}
	status := r.f.entry(join(dir.path, name), out)
	if status == fuse.ENOENT {
		// Node number 0 is an absence that may be remembered.
		r.f.nodes.toldAbsent(in.NodeId, name)
		out.NodeId = 0
		out.SetEntryTimeout(r.f.cache)
		return fuse.OK
	}
	return status
}

// entry tells the kernel what lies at path.
func (f *FS) entry(path string, out *fuse.EntryOut) fuse.Status {
	v, status := f.look(path)
	if !status.Ok() {
		return status
	}
	defer v.close()
	out.NodeId = f.nodes.told(path, v.ident)
	out.Attr = v.attr
	out.Ino = out.NodeId
	out.SetEntryTimeout(f.cache)
	if !v.isMarker() {
		out.SetAttrTimeout(f.cache)
	}
	return fuse.OK
}

func (r *raw) Forget(id, lookups uint64) { r.f.nodes.forget(id, lookups) }

// again looks at a node that the kernel knows. ESTALE makes it look up the path
// once more.
func (f *FS) again(id uint64) (node, *view, fuse.Status) {
	nd, ok := f.nodes.get(id)
	if !ok {
		return nd, nil, fuse.Status(unix.ESTALE)
	}
	v, status := f.look(nd.path)
	if status == fuse.ENOENT {
		return nd, nil, fuse.Status(unix.ESTALE)
	}
	if status.Ok() && id != fuse.FUSE_ROOT_ID && v.ident != nd.ident {
		v.close()
		return nd, nil, fuse.Status(unix.ESTALE)
	}
	return nd, v, status
}

// GetAttr is asked for markers each time, because nothing may remember their
// attributes, and for other files only now and then.
func (r *raw) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	if ok, status := r.f.openAttr(in.NodeId, out); ok {
		return status
	}
	nd, v, status := r.f.again(in.NodeId)
	if !status.Ok() {
		return status
	}
	defer v.close()
	out.Attr = v.attr
	out.Ino = in.NodeId
	if v.isMarker() {
		r.f.trace.use(nd.path)
	} else {
		out.SetTimeout(r.f.cache)
	}
	return fuse.OK
}

// openAttr answers for a file that is open: it stays what it was, even if there
// is another one at its path by now.
func (f *FS) openAttr(id uint64, out *fuse.AttrOut) (bool, fuse.Status) {
	fl := f.files.share(id)
	if fl == nil {
		return false, fuse.OK
	}
	defer f.files.release(id, f.server)
	if fl.fd < 0 {
		return false, fuse.OK
	}
	var st unix.Stat_t
	if err := unix.Fstat(fl.fd, &st); err != nil {
		return true, fuse.ToStatus(err)
	}
	v := view{attr: fuse.Attr{Nlink: 1, Blksize: 4096}, place: -1}
	v.source(&st)
	out.Attr = v.attr
	out.Ino = id
	if !v.isMarker() {
		out.SetTimeout(f.cache)
	}
	return true, fuse.OK
}

func (r *raw) Readlink(_ <-chan struct{}, in *fuse.InHeader) ([]byte, fuse.Status) {
	nd, v, status := r.f.again(in.NodeId)
	if !status.Ok() {
		return nil, status
	}
	defer v.close()
	if v.ident.kind != unix.S_IFLNK {
		return nil, fuse.EINVAL
	}
	target, err := readlink(v.place)
	if err != nil {
		return nil, r.f.status(nd.path, err)
	}
	r.f.trace.use(nd.path)
	return target, fuse.OK
}

// Ioctl answers the question whether a file is a terminal.
func (r *raw) Ioctl(<-chan struct{}, *fuse.IoctlIn, []byte, *fuse.IoctlOut, []byte) fuse.Status {
	return fuse.Status(unix.ENOTTY)
}

// Flush is asked at every close, unless it is answered like this once.
func (r *raw) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.ENOSYS }

func (r *raw) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	out.Bsize, out.NameLen = 4096, 255
	return fuse.OK
}
