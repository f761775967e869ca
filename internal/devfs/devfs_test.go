package devfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/devfs"
)

func TestShowsTree(t *testing.T) {
	dir := plant(t, "a/file", "a/run*", "a/link>file", "a/absolute>/etc/x", "a/dangling>nowhere", "empty/")
	if err := unix.Mkfifo(filepath.Join(dir, "a/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "a/file"), 0o4600); err != nil {
		t.Fatal(err)
	}
	m := mount(t, &tree{dir: dir, generated: map[string]*devfs.Entry{
		"gen":      {Content: []byte("generated")},
		"gen-run":  {Content: []byte("#!"), Exec: true},
		"var":      {Dir: true},
		"proc":     {Dir: true},
		"proc/cpu": {Content: []byte{}},
	}}, devfs.Options{})

	want := []string{
		"dr-xr-xr-x .", "dr-xr-xr-x a", "Lrwxrwxrwx a/absolute>/etc/x", "Lrwxrwxrwx a/dangling>nowhere",
		"-r--r--r-- a/file=a/file", "Lrwxrwxrwx a/link>file", "-r--r--r-- a/pipe=", "-r-xr-xr-x a/run=a/run*",
		"dr-xr-xr-x empty", "-r--r--r-- gen=generated", "-r-xr-xr-x gen-run=#!", "dr-xr-xr-x proc",
		"-r--r--r-- proc/cpu=", "dr-xr-xr-x var",
	}
	for i, listing := range []string{"first", "from the cache"} {
		if i == 1 {
			m.fs.Refresh()
		}
		var got []string
		err := fs.WalkDir(os.DirFS(m.path("")), ".", func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			got = append(got, m.describe(path))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", listing, got, want)
		}
	}
}

func (m *mounted) describe(path string) string {
	info, err := os.Lstat(m.path(path))
	if err != nil {
		m.t.Fatal(err)
	}
	s := info.Mode().String() + " " + path
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(m.path(path))
		if err != nil {
			m.t.Fatal(err)
		}
		s += ">" + target
	case info.Mode().IsRegular():
		s += "=" + m.read(path)
	}
	return s
}

func TestKeepsTimes(t *testing.T) {
	dir := plant(t, "file")
	m := mount(t, &tree{dir: dir}, devfs.Options{})
	want, err := os.Stat(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.Stat(m.path("file"))
	if err != nil {
		t.Fatal(err)
	}
	if !got.ModTime().Equal(want.ModTime()) {
		t.Errorf("modified at %v, want %v", got.ModTime(), want.ModTime())
	}
}

func TestReadOnly(t *testing.T) {
	m := mount(t, &tree{dir: plant(t, "file")}, devfs.Options{})
	for name, err := range map[string]error{
		"write":  os.WriteFile(m.path("file"), nil, 0o600),
		"create": os.WriteFile(m.path("new"), nil, 0o600),
		"remove": os.Remove(m.path("file")),
		"mkdir":  os.Mkdir(m.path("dir"), 0o700),
		"chmod":  os.Chmod(m.path("file"), 0o777),
	} {
		if !errors.Is(err, unix.EROFS) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Large enough for several requests of the kernel in both listings.
func TestLargeDirectory(t *testing.T) {
	var names []string
	for i := range 1500 {
		names = append(names, fmt.Sprintf("file-with-a-rather-long-name-%05d", i))
	}
	m := mount(t, &tree{dir: plant(t, names...)}, devfs.Options{})
	entries, err := os.ReadDir(m.path("")) // plain
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, names) {
		t.Errorf("plain listing: %d names, want %d", len(got), len(names))
	}
	if n := strings.Count(m.shell("ls -l $M/"), "file-with"); n != len(names) { // with attributes
		t.Errorf("long listing: %d names, want %d", n, len(names))
	}
}

// A big file comes in several pieces, and a sparse tail is zeros.
func TestBigFile(t *testing.T) {
	dir := t.TempDir()
	want := strings.Repeat("0123456789abcdef", 200_000) + "end"
	if err := os.WriteFile(filepath.Join(dir, "big"), []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	m := mount(t, &tree{dir: dir, generated: map[string]*devfs.Entry{"gen": {Content: []byte(want)}}}, devfs.Options{})
	for _, path := range []string{"big", "gen"} {
		if got := m.read(path); got != want {
			t.Errorf("%s: %d bytes differ from the %d that were written", path, len(got), len(want))
		}
	}
}

// Programs are executed and mapped, also with an interpreter in the tree.
func TestExecute(t *testing.T) {
	dir := t.TempDir()
	for from, to := range map[string]string{"/bin/sh": "sh", "/bin/echo": "echo"} {
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), b, 0o700)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	script := "#!/proc/self/fd/3/sh\n/proc/self/fd/3/echo ran $1\n"
	m := mount(t, &tree{dir: dir, generated: map[string]*devfs.Entry{"script": {Content: []byte(script), Exec: true}}}, devfs.Options{})
	if got := m.shell("$M/script well"); got != "ran well\n" {
		t.Errorf("got %q", got)
	}
	if got, want := m.fs.Used(), []string{"echo", "script", "sh"}; !slices.Equal(got, want) {
		t.Errorf("used %q, want %q", got, want)
	}
}

// An app that opens one file many times costs this process one descriptor.
func TestSharesDescriptors(t *testing.T) {
	m := mount(t, &tree{dir: plant(t, "file")}, devfs.Options{})
	before := descriptors(t)
	var open []*os.File
	for range 100 {
		f, err := os.Open(m.path("file"))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, f)
	}
	if n := descriptors(t) - before - len(open); n != 1 {
		t.Errorf("%d descriptors for %d opens of one file", n, len(open))
	}
	for _, f := range open {
		f.Close()
	}
	eventually(t, "the descriptor is closed", func() bool { return descriptors(t) <= before })
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if !strings.HasPrefix(target, "pipe:") { // go-fuse keeps some
			n++
		}
	}
	return n
}

func TestServeNeedsMount(t *testing.T) {
	dev, err := os.OpenFile(device(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	if _, err := devfs.Serve(dev, &tree{dir: t.TempDir()}, devfs.Options{}); err == nil {
		t.Error("a device that is not mounted was served")
	}
}
