package devfs_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/devfs"
)

// What counts as use, and what does not (packages.md §10).
func TestTracingRules(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(m *mounted) error
		want []string
	}{
		{"nothing", func(*mounted) error { return nil }, nil},
		{"open", func(m *mounted) error { m.read("dir/file"); return nil }, []string{"dir/file"}},
		{"open through a link", func(m *mounted) error { m.read("link/file"); return nil }, []string{"dir/file", "link"}},
		{"read a link", func(m *mounted) error { _, err := os.Readlink(m.path("link")); return err }, []string{"link"}},
		{"list", func(m *mounted) error { _, err := os.ReadDir(m.path("dir")); return err }, []string{"dir"}},
		{"list the root", func(m *mounted) error { _, err := os.ReadDir(m.path("")); return err }, nil},
		{"stat", func(m *mounted) error { _, err := os.Stat(m.path("dir/file")); return err }, nil},
		{"stat a directory", func(m *mounted) error { _, err := os.Stat(m.path("dir")); return err }, nil},
		{"stat a link", func(m *mounted) error { _, err := os.Lstat(m.path("link")); return err }, nil},
		{"stat a marker", func(m *mounted) error { _, err := os.Stat(m.path("dir/marker")); return err }, []string{"dir/marker"}},
		{"stat a generated marker", func(m *mounted) error { _, err := os.Stat(m.path("gen")); return err }, []string{"gen"}},
		{"stat a pipe", func(m *mounted) error { _, err := os.Stat(m.path("dir/pipe")); return err }, []string{"dir/pipe"}},
		{"no such file", func(m *mounted) error { os.Stat(m.path("dir/none")); os.ReadFile(m.path("none")); return nil }, nil},
		{"long listing", func(m *mounted) error { m.shell("ls -l $M/dir"); return nil }, []string{"dir", "dir/marker", "dir/pipe"}},
		{"stat a marker after a listing", func(m *mounted) error {
			if _, err := os.ReadDir(m.path("dir")); err != nil {
				return err
			}
			_, err := os.Stat(m.path("dir/marker"))
			return err
		}, []string{"dir", "dir/marker"}},
		{"a place is no use", func(m *mounted) error {
			fd, err := unix.Open(m.path("dir/file"), unix.O_PATH, 0)
			if err == nil {
				err = unix.Close(fd)
			}
			return err
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := plant(t, "dir/file", "link>dir")
			if err := os.WriteFile(filepath.Join(dir, "dir/marker"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := unix.Mkfifo(filepath.Join(dir, "dir/pipe"), 0o600); err != nil {
				t.Fatal(err)
			}
			m := mount(t, &tree{dir: dir, generated: map[string]*devfs.Entry{"gen": {}}}, devfs.Options{})
			if err := c.do(m); err != nil {
				t.Fatal(err)
			}
			if got := m.fs.Used(); !slices.Equal(got, c.want) {
				t.Errorf("used %q, want %q", got, c.want)
			}
		})
	}
}

func TestIdle(t *testing.T) {
	m := mount(t, &tree{dir: plant(t, "a")}, devfs.Options{})
	m.read("a")
	const long = 50 * time.Millisecond
	eventually(t, "idle", func() bool { return m.fs.Idle() > long })
	m.read("a")
	if m.fs.Idle() < long {
		t.Error("a second use of one file ended idleness")
	}
}
