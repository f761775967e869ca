package devfs

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Open opens a file for reading, which is also what executing and mapping one
// begin with.
func (r *raw) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if in.Flags&unix.O_ACCMODE != unix.O_RDONLY {
		return fuse.EROFS
	}
	nd, v, status := r.f.again(in.NodeId)
	if !status.Ok() {
		return status
	}
	defer v.close()
	if !v.isRegular() {
		return fuse.EINVAL
	}
	fl := r.f.files.share(in.NodeId)
	if fl == nil {
		if fl, status = r.f.newFile(in.NodeId, v); !status.Ok() {
			return status
		}
		fl = r.f.files.add(fl, r.f.server)
	}
	r.f.trace.use(nd.path)
	out.Fh = in.NodeId
	out.OpenFlags = fuse.FOPEN_NOFLUSH // nobody shall wait for an answer to a close
	if fl.backing > 0 {
		out.OpenFlags |= fuse.FOPEN_PASSTHROUGH
		out.BackingID = fl.backing
	} else {
		// The kernel drops the pages by itself when the time of change does not
		// match any more.
		out.OpenFlags |= fuse.FOPEN_KEEP_CACHE
	}
	return fuse.OK
}

// newFile opens what v shows.
func (f *FS) newFile(id uint64, v *view) (*file, fuse.Status) {
	fl := &file{node: id, fd: -1, content: v.entry.Content}
	if v.place < 0 {
		return fl, fuse.OK
	}
	var st unix.Stat_t
	if err := unix.Fstat(v.place, &st); err != nil {
		return nil, fuse.ToStatus(err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return fl, fuse.OK // irregular: shown as empty, and never really opened
	}
	fd, err := reopen(v.place)
	if err != nil {
		return nil, fuse.ToStatus(err)
	}
	fl.fd = fd
	fl.backing = f.register(fd)
	return fl, fuse.OK
}

// register has the kernel read a file by itself from now on. It returns 0 if it
// will not: before Linux 6.9, for everybody but root, and for files that are
// themselves on a stacked file system.
func (f *FS) register(fd int) int32 {
	if !f.direct.Load() {
		return 0
	}
	id, errno := f.server.RegisterBackingFd(&fuse.BackingMap{Fd: int32(fd)})
	switch errno {
	case 0:
		return id
	case unix.EPERM, unix.EOPNOTSUPP, unix.ENOTTY:
		f.direct.Store(false)
	}
	return 0
}

// splicePays is the size of a request, in bytes, from which on it is cheaper to
// move pages through a pipe than to copy them. Small files end before a small
// request does, and then go-fuse would have to begin anew.
const splicePays = 64 << 10

func (r *raw) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	fl := r.f.files.get(in.Fh)
	switch {
	case r.f.closed.Load():
		return nil, fuse.Status(unix.ENODEV)
	case fl == nil:
		return nil, fuse.EBADF
	case fl.fd >= 0 && len(buf) >= int(in.Size) && in.Size < splicePays:
		n, err := retry(func() (int, error) { return unix.Pread(fl.fd, buf[:in.Size], int64(in.Offset)) })
		return fuse.ReadResultData(buf[:max(n, 0)]), fuse.ToStatus(err)
	case fl.fd >= 0:
		return fuse.ReadResultFd(uintptr(fl.fd), int64(in.Offset), int(in.Size)), fuse.OK
	}
	size := uint64(len(fl.content))
	from := min(in.Offset, size)
	return fuse.ReadResultData(fl.content[from:min(from+uint64(in.Size), size)]), fuse.OK
}

func (r *raw) Release(_ <-chan struct{}, in *fuse.ReleaseIn) {
	r.f.files.release(in.Fh, r.f.server)
}
