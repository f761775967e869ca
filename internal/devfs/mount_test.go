package devfs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/devfs"
)

// Who still works in a mounted package when its time is over keeps nobody from
// going on: the directory is what it was before.
func TestUnmountBusy(t *testing.T) {
	dir := t.TempDir()
	fs, err := devfs.Mount(dir, &tree{dir: plant(t, "file")}, devfs.Options{})
	if err != nil {
		// Without root the machine must have a program for this.
		if os.Getenv(envInside) == "" || !strings.Contains(err.Error(), "fuse3") {
			t.Fatal(err)
		}
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
