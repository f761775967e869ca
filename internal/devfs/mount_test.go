package devfs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/devfs"
)

// mountAt mounts files at a directory. Without root the machine must have a
// program for this; if it has none, ok is false.
func mountAt(t *testing.T, dir string, paths ...string) (fs *devfs.FS, ok bool) {
	t.Helper()
	fs, err := devfs.Mount(dir, &tree{dir: plant(t, paths...)}, devfs.Options{})
	if err == nil {
		return fs, true
	}
	if os.Getenv(envInside) == "" || !strings.Contains(err.Error(), "fuse3") {
		t.Fatal(err)
	}
	return nil, false
}

// Who still works in a mounted package when its time is over keeps nobody from
// going on: the directory is what it was before.
func TestUnmountBusy(t *testing.T) {
	dir := t.TempDir()
	fs, ok := mountAt(t, dir, "file")
	if !ok {
		return
	}
	inUse, err := unix.Open(filepath.Join(dir, "file"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	busy, err := fs.Unmount(dir)
	if !busy || err != nil {
		t.Error(busy, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("still mounted: %v, %v", entries, err)
	}
	if err := unix.Close(inUse); err != nil {
		t.Error(err)
	}
	fs.Wait()
}

// TestRefreshLeavesMounts: a grain that is still running when a file changes
// keeps its storage, so that it can write there what it has not written yet.
func TestRefreshLeavesMounts(t *testing.T) {
	dir := t.TempDir()
	fs, ok := mountAt(t, dir, "file", "var/", "tmp/", "dev/", "proc/cpuinfo")
	if !ok {
		return
	}
	for _, place := range []string{"var", "tmp", "dev", "proc"} {
		at := filepath.Join(dir, place)
		if err := unix.Mount("tmpfs", at, "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) })
		if err := os.WriteFile(filepath.Join(at, "data"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fs.Refresh()
	for _, place := range []string{"var", "tmp", "dev", "proc"} {
		if _, err := os.Stat(filepath.Join(dir, place, "data")); err != nil {
			t.Errorf("what was mounted is gone: %v", err)
		}
	}
	if busy, err := fs.Unmount(dir); !busy || err != nil {
		t.Error(busy, err)
	}
}
