package devfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// openSource opens what e.Source is now, as a place only (O_PATH): that neither
// waits for the other end of a pipe nor touches a device. No symlink is followed
// below e.Root.
func openSource(e *Entry) (int, *unix.Stat_t, error) {
	root := e.Root
	if root == "" {
		root = "/"
	}
	below, err := filepath.Rel(root, e.Source)
	if err != nil || below == ".." || strings.HasPrefix(below, "../") || !filepath.IsAbs(e.Source) {
		return -1, nil, fmt.Errorf("source %q is not below %q", e.Source, root)
	}
	fd, err := retry(func() (int, error) { return unix.Open(root, unix.O_PATH|unix.O_CLOEXEC, 0) })
	if err != nil {
		return -1, nil, &os.PathError{Op: "open", Path: root, Err: err}
	}
	if below != "." {
		top := fd
		fd, err = retry(func() (int, error) {
			return unix.Openat2(top, below, &unix.OpenHow{
				Flags:   unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC,
				Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
			})
		})
		_ = unix.Close(top)
		if err != nil {
			return -1, nil, &os.PathError{Op: "open", Path: e.Source, Err: err}
		}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return -1, nil, &os.PathError{Op: "stat", Path: e.Source, Err: err}
	}
	return fd, &st, nil
}

// reopen makes a descriptor that can be read of a place that is a regular file.
func reopen(place int) (int, error) {
	name := fmt.Sprintf("/proc/self/fd/%d", place)
	return retry(func() (int, error) { return unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY, 0) })
}

// retry repeats a call that a signal or a rename interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return n, err
		}
	}
}

// readlink reads the symlink at a place.
func readlink(place int) ([]byte, error) {
	buf := make([]byte, unix.PathMax)
	n, err := retry(func() (int, error) { return unix.Readlinkat(place, "", buf) })
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}
