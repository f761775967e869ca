package devfs

import (
	"context"
	"errors"
	"hash/maphash"
	"io/fs"
	"log/slog"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// view is what lies at a path at one moment.
type view struct {
	entry *Entry
	attr  fuse.Attr
	ident ident
	place int // descriptor of the source; -1 if generated
}

func (v *view) close() {
	if v.place >= 0 {
		_ = unix.Close(v.place)
		v.place = -1
	}
}

func (v *view) isDir() bool     { return v.attr.Mode&unix.S_IFMT == unix.S_IFDIR }
func (v *view) isRegular() bool { return v.attr.Mode&unix.S_IFMT == unix.S_IFREG }

// isMarker reports whether asking for the attributes counts as use: gems and
// others say something by the mere presence of an empty file.
func (v *view) isMarker() bool { return v.isRegular() && v.attr.Size == 0 }

// ident tells whether a path still is what it was. Another file at the same
// path must be another node, so that the kernel does not go on with the pages
// of the old one. A directory is only its path: it may be merged of several.
type ident struct {
	kind uint32 // S_IFMT bits of the mode
	dev  uint64
	ino  uint64
}

var contentSeed = maphash.MakeSeed()

// look finds what lies at path now. The caller closes the view.
func (f *FS) look(path string) (*view, fuse.Status) {
	if f.closed.Load() {
		return nil, fuse.Status(unix.ENODEV)
	}
	e, err := f.tree.Resolve(path)
	if err != nil {
		return nil, f.status(path, err)
	}
	v := &view{entry: e, place: -1}
	v.attr.Nlink = 1
	v.attr.Blksize = 4096
	if e.Source == "" {
		f.generated(v)
		return v, fuse.OK
	}
	place, st, err := openSource(e)
	if err != nil {
		return nil, f.status(path, err)
	}
	v.place = place
	v.source(st)
	return v, fuse.OK
}

// generated fills in a path without a source. Files have no date, as in the
// package that will be made; directories that of the file system.
func (f *FS) generated(v *view) {
	if v.entry.Dir {
		v.attr.Mode = unix.S_IFDIR | 0o555
		v.attr.SetTimes(nil, &f.began, &f.began)
		v.ident.kind = unix.S_IFDIR
		return
	}
	v.attr.Mode = unix.S_IFREG | 0o444
	if v.entry.Exec {
		v.attr.Mode |= 0o111
	}
	v.setSize(int64(len(v.entry.Content)))
	v.ident = ident{kind: unix.S_IFREG, ino: maphash.Bytes(contentSeed, v.entry.Content)}
}

// source fills in what the packed file will be: readable by all, executable if
// its owner may execute it, nobody's, and empty if it is neither file,
// directory nor symlink.
func (v *view) source(st *unix.Stat_t) {
	kind := st.Mode & unix.S_IFMT
	switch kind {
	case unix.S_IFDIR:
		v.attr.Mode = unix.S_IFDIR | 0o555
	case unix.S_IFLNK:
		v.attr.Mode = unix.S_IFLNK | 0o777
		v.setSize(st.Size)
	default:
		v.attr.Mode = unix.S_IFREG | 0o444
		if kind == unix.S_IFREG {
			v.setSize(st.Size)
			if st.Mode&0o100 != 0 {
				v.attr.Mode |= 0o111
			}
		}
	}
	sec, nsec := st.Mtim.Unix()
	v.attr.Mtime, v.attr.Mtimensec = uint64(sec), uint32(nsec)
	v.attr.Atime, v.attr.Atimensec = v.attr.Mtime, v.attr.Mtimensec
	v.attr.Ctime, v.attr.Ctimensec = v.attr.Mtime, v.attr.Mtimensec
	v.ident.kind = v.attr.Mode & unix.S_IFMT
	if kind != unix.S_IFDIR {
		v.ident.dev, v.ident.ino = st.Dev, st.Ino
		if kind == unix.S_IFLNK { // its target is cached for good
			v.ident.dev ^= uint64(st.Ctim.Nano())
		}
	}
}

func (v *view) setSize(n int64) {
	v.attr.Size = uint64(n)
	v.attr.Blocks = (v.attr.Size + 511) / 512
}

// status is what the app sees of an error. What is neither a missing file nor
// the system's own word is a fault of the tree, and logged.
func (f *FS) status(path string, err error) fuse.Status {
	var errno unix.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		// The last two: something in the middle was replaced just now.
		return fuse.ENOENT
	case errors.As(err, &errno):
		return fuse.Status(errno)
	}
	f.log.LogAttrs(context.Background(), slog.LevelError, "cannot show a file of the app",
		slog.String("path", path), slog.Any("err", err))
	return fuse.EIO
}
