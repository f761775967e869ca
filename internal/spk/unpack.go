package spk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
)

// Check parses the archive and applies all rules of the archive tree without
// writing anything.
func (f *File) Check(ctx context.Context) error {
	return f.guarded(func() error { return f.walkComplete(ctx, &checkSink{}) })
}

// Unpack writes the archive's tree to dir, which must not exist. Files get mode
// 0644, executables and directories 0755, whatever the umask: grains run under
// other users. If anything fails, dir is removed.
func (f *File) Unpack(ctx context.Context, dir string) (err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return sandstorm.Errorf(sandstorm.Internal, "package.unpack", "unpack: %w", err)
	}
	defer func() {
		if err == nil {
			return
		}
		if rmErr := os.RemoveAll(dir); rmErr != nil {
			err = errors.Join(err, rmErr)
		}
	}()
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return WriteError(&os.PathError{Op: "open", Path: dir, Err: err})
	}
	out := &dirSink{open: []int{fd}}
	defer out.close()
	if err := f.guarded(func() error { return f.walkComplete(ctx, out) }); err != nil {
		return err
	}
	if err := unix.Fchmod(fd, 0o755); err != nil {
		return WriteError(err)
	}
	return nil
}

// walkComplete walks and checks that nothing indispensable was missing.
func (f *File) walkComplete(ctx context.Context, s sink) error {
	if err := f.walk(ctx, s); err != nil {
		return err
	}
	if _, err := f.readFile(ManifestName); errors.Is(err, fs.ErrNotExist) {
		return badArchive("the package has no %s", ManifestName)
	} else if err != nil {
		return err
	}
	return nil
}

// guarded turns a fault on the mapped archive, which an unreadable disk can
// cause at any access, into an error.
func (f *File) guarded(do func() error) (err error) {
	if f.archive == nil {
		return fmt.Errorf("package file: %w", fs.ErrClosed)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if fault, ok := r.(interface{ Addr() uintptr }); ok {
				err = sandstorm.Errorf(sandstorm.Internal, "package.unpack", "archive not readable at %#x", fault.Addr())
				return
			}
			panic(r)
		}
	}()
	return do()
}

type checkSink struct{}

func (checkSink) add(entry) error   { return nil }
func (checkSink) leave(entry) error { return nil }

// dirSink writes to a directory. It holds a descriptor of each directory on the
// way to where it is and never resolves more than one name, so that no symlink
// of the archive is ever followed.
type dirSink struct {
	open []int // root first
}

func (d *dirSink) top() int { return d.open[len(d.open)-1] }

func (d *dirSink) close() {
	for _, fd := range d.open {
		unix.Close(fd)
	}
	d.open = nil
}

func (d *dirSink) add(e entry) error {
	var err error
	switch e.kind {
	case kindDirectory:
		return d.enter(e)
	case kindSymlink:
		err = unix.Symlinkat(string(e.content), d.top(), e.name)
		if err == nil {
			err = d.setTime(e)
		}
	case kindExecutable:
		err = d.file(e, 0o755)
	case kindRegular:
		err = d.file(e, 0o644)
	}
	return pathError("write", e, err)
}

func (d *dirSink) enter(e entry) error {
	if err := unix.Mkdirat(d.top(), e.name, 0o700); err != nil {
		return pathError("mkdir", e, err)
	}
	fd, err := unix.Openat(d.top(), e.name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return pathError("open", e, err)
	}
	d.open = append(d.open, fd)
	return pathError("chmod", e, unix.Fchmod(fd, 0o755))
}

// leave sets a directory's time after its children changed it.
func (d *dirSink) leave(dir entry) error {
	unix.Close(d.top())
	d.open = d.open[:len(d.open)-1]
	return pathError("utimes", dir, d.setTime(dir))
}

func (d *dirSink) file(e entry, mode uint32) error {
	fd, err := unix.Openat(d.top(), e.name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
	if err != nil {
		return err
	}
	for b := e.content; err == nil && len(b) > 0; {
		var n int
		n, err = unix.Write(fd, b)
		if errors.Is(err, unix.EINTR) {
			err = nil
		}
		b = b[max(n, 0):]
	}
	if err == nil {
		err = unix.Fchmod(fd, mode)
	}
	if cerr := unix.Close(fd); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return d.setTime(e)
}

// setTime sets access and modification time without following a symlink.
func (d *dirSink) setTime(e entry) error {
	sec, ns := e.mtime/1e9, e.mtime%1e9
	if ns < 0 { // before 1970 too, the nanoseconds count upwards
		sec, ns = sec-1, ns+1e9
	}
	at := unix.Timespec{Sec: sec, Nsec: ns}
	return unix.UtimesNanoAt(d.top(), e.name, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
}

func pathError(op string, e entry, err error) error {
	if err == nil {
		return nil
	}
	return WriteError(&os.PathError{Op: op, Path: filepath.Clean(e.path), Err: err})
}
