package devfs_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/devfs"
)

// A directory that is swapped for a symlink just after the tree looked at it
// must not show what lies elsewhere.
func TestSwappedSymlink(t *testing.T) {
	outside := plant(t, "secret", "sub/secret")
	dir := plant(t, "dir/file", "real/file", "rootlink>real", "down>dir")
	if err := os.Symlink(outside, filepath.Join(dir, "way-out")); err != nil {
		t.Fatal(err)
	}
	entries := map[string]*devfs.Entry{
		"swapped":       {Source: filepath.Join(dir, "way-out/secret"), Root: dir},
		"deep":          {Source: filepath.Join(dir, "way-out/sub/secret"), Root: dir},
		"inside":        {Source: filepath.Join(dir, "down/file"), Root: dir}, // even to a place that is fine
		"up":            {Source: filepath.Join(dir, "../x/secret"), Root: dir},
		"elsewhere":     {Source: filepath.Join(outside, "secret"), Root: dir},
		"relative":      {Source: "secret", Root: dir},
		"no-root":       {Source: filepath.Join(dir, "way-out/secret")},
		"root":          {Source: filepath.Join(dir, "rootlink"), Root: filepath.Join(dir, "rootlink")},
		"root/file":     {Source: filepath.Join(dir, "rootlink/file"), Root: filepath.Join(dir, "rootlink")},
		"no-root-plain": {Source: filepath.Join(dir, "dir/file")},
	}
	m := mount(t, &tree{dir: dir, generated: entries}, devfs.Options{})
	for _, path := range []string{"swapped", "deep", "inside", "up", "elsewhere", "relative", "no-root"} {
		if b, err := os.ReadFile(m.path(path)); err == nil {
			t.Errorf("%s shows %q", path, b)
		}
	}
	for path, want := range map[string]string{"root/file": "real/file", "no-root-plain": "dir/file"} {
		if got := m.read(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if info, err := os.Lstat(m.path("root")); err != nil || !info.IsDir() {
		t.Errorf("the root of a mapping is a symlink to a directory, shown as %v, %v", info, err)
	}
}

// What is neither file, directory nor link is an empty file and is not opened:
// a pipe would wait for its other end, and devices do things when opened.
func TestIrregularFiles(t *testing.T) {
	dir := plant(t)
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: filepath.Join(dir, "socket")}); err != nil {
		t.Fatal(err)
	}
	m := mount(t, &tree{dir: dir, generated: map[string]*devfs.Entry{"zero": {Source: "/dev/zero"}}}, devfs.Options{})
	for _, path := range []string{"pipe", "socket", "zero"} {
		info, err := os.Lstat(m.path(path))
		if err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s: %v, %v", path, info, err)
		}
		if got := m.read(path); got != "" {
			t.Errorf("%s holds %q", path, got)
		}
	}
}

// A file that the developer may not read is not readable for the app either,
// though it looks so.
func TestUnreadable(t *testing.T) {
	dir := plant(t, "file")
	m := mount(t, &tree{dir: dir, resolve: func(path string) (*devfs.Entry, error) {
		if path == "forbidden" {
			return nil, unix.EACCES
		}
		return nil, nil
	}}, devfs.Options{})
	if _, err := os.ReadFile(m.path("forbidden")); !errors.Is(err, unix.EACCES) {
		t.Error(err)
	}
	if got := m.fs.Used(); len(got) != 0 {
		t.Errorf("used %q", got)
	}
}

// A panic in one request is an error of that request.
func TestPanic(t *testing.T) {
	var log strings.Builder
	m := mount(t, &tree{dir: plant(t, "file"), resolve: func(path string) (*devfs.Entry, error) {
		switch path {
		case "bad":
			panic("oops")
		case "odd":
			return nil, errors.New("a word")
		}
		return nil, nil
	}}, devfs.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, path := range []string{"bad", "odd"} {
		if _, err := os.Stat(m.path(path)); !errors.Is(err, unix.EIO) {
			t.Errorf("%s: %v", path, err)
		}
	}
	m.read("file")
	m.unmount()
	for _, want := range []string{"oops", "a word"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, log.String())
		}
	}
}

// Names that the kernel would choke on cost only themselves.
func TestImpossibleNames(t *testing.T) {
	m := mount(t, namesTree{&tree{dir: plant(t, "good")}}, devfs.Options{})
	entries, err := os.ReadDir(m.path(""))
	if err != nil || len(entries) != 1 || entries[0].Name() != "good" {
		t.Errorf("got %v, %v", entries, err)
	}
}

type namesTree struct{ *tree }

func (namesTree) Names(string) ([]string, error) {
	return []string{"", ".", "..", "a/b", "a\x00b", strings.Repeat("x", 256), "good", "gone"}, nil
}
