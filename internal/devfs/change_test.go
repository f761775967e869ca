package devfs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/devfs"
)

func write(t testing.TB, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// replace puts a new file with the same size and date at the place of another.
func replace(t testing.TB, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, name+".new", content)
	if err := os.Chtimes(path+".new", info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// After Refresh everything that changed is seen at once.
func TestRefresh(t *testing.T) {
	dir := plant(t, "written", "replaced", "deleted", "link>written", "turned", "sub/x")
	var gen atomic.Pointer[devfs.Entry]
	gen.Store(&devfs.Entry{Content: []byte("one")})
	m := mount(t, &tree{dir: dir, resolve: func(path string) (*devfs.Entry, error) {
		if path == "gen" {
			return gen.Load(), nil
		}
		return nil, nil
	}}, devfs.Options{CacheFor: time.Hour})
	for _, path := range []string{"written", "replaced", "deleted", "link", "turned", "gen", "sub/x"} {
		m.read(path)
	}
	for _, path := range []string{"new", "sub/new"} {
		if _, err := os.Stat(m.path(path)); !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	write(t, dir, "written", "WRITTEN")
	replace(t, dir, "replaced", "REPLACED")
	write(t, dir, "new", "new")
	write(t, dir, "sub/new", "new")
	gen.Store(&devfs.Entry{Content: []byte("two")})
	for _, path := range []string{"deleted", "link", "turned"} {
		if err := os.Remove(filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("replaced", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "turned"), 0o700); err != nil {
		t.Fatal(err)
	}
	m.fs.Refresh()

	for path, want := range map[string]string{
		"written": "WRITTEN", "replaced": "REPLACED", "link": "REPLACED", "new": "new", "sub/new": "new", "gen": "two",
	} {
		if got := m.read(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if _, err := os.Stat(m.path("deleted")); !os.IsNotExist(err) {
		t.Errorf("deleted: %v", err)
	}
	if info, err := os.Stat(m.path("turned")); err != nil || !info.IsDir() {
		t.Errorf("turned: %v %v", info, err)
	}
}

// Without Refresh it takes as long as the kernel may believe what it knows.
func TestChangesAreSeen(t *testing.T) {
	dir := plant(t, "written", "replaced")
	m := mount(t, &tree{dir: dir}, devfs.Options{})
	m.read("written")
	m.read("replaced")
	if _, err := os.Stat(m.path("new")); !os.IsNotExist(err) {
		t.Fatal(err)
	}
	write(t, dir, "written", "WRITTEN")
	replace(t, dir, "replaced", "REPLACED")
	write(t, dir, "new", "")
	eventually(t, "the change of a file is seen", func() bool { return m.read("written") == "WRITTEN" })
	eventually(t, "a replaced file is seen", func() bool { return m.read("replaced") == "REPLACED" })
	eventually(t, "a new file is seen", func() bool { _, err := os.Stat(m.path("new")); return err == nil })
}

// A file that is open stays what it was when another takes its place.
func TestOpenFileStays(t *testing.T) {
	dir := plant(t, "file")
	m := mount(t, &tree{dir: dir}, devfs.Options{})
	f, err := os.Open(m.path("file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	replace(t, dir, "file", "FILE and more")
	m.fs.Refresh()
	buf := make([]byte, 100)
	n, _ := f.ReadAt(buf, 0)
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if got := string(buf[:n]); got != "file" || info.Size() != 4 {
		t.Errorf("read %q of %d bytes", got, info.Size())
	}
	if got := m.read("file"); got != "FILE and more" {
		t.Errorf("opened anew: %q", got)
	}
}

// Developers save, rebuild and remove files while the app reads them: that must
// neither fail nor mix the content of files.
func TestManyAtOnce(t *testing.T) {
	dir := plant(t)
	const files = 8
	content := func(i, version int) string { return fmt.Sprintf("file %d version %03d", i, version) }
	for i := range files {
		write(t, dir, fmt.Sprint(i), content(i, 0))
	}
	m := mount(t, &tree{dir: dir}, devfs.Options{})
	stop := time.Now().Add(500 * time.Millisecond)
	var wg sync.WaitGroup
	wg.Go(func() {
		for version := 1; time.Now().Before(stop); version++ {
			replace(t, dir, fmt.Sprint(version%files), content(version%files, version%1000))
			if version%5 == 0 {
				m.fs.Refresh()
			}
		}
	})
	for range 4 {
		wg.Go(func() {
			for i := 0; time.Now().Before(stop); i = (i + 1) % files {
				b, err := os.ReadFile(m.path(fmt.Sprint(i)))
				var of, version int
				if err == nil {
					_, err = fmt.Sscanf(string(b), "file %d version %d", &of, &version)
				}
				if err != nil || of != i {
					t.Errorf("file %d: %q, %v", i, b, err)
					return
				}
				if _, err := os.ReadDir(m.path("")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// The end: processes that still look get errors, and nothing is left open.
func TestEnd(t *testing.T) {
	dir := plant(t, "file")
	before := descriptors(t)
	m := mount(t, &tree{dir: dir}, devfs.Options{})
	f, err := os.Open(m.path("file"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.fs.Close(); err != nil {
			t.Error(err)
		}
	}
	if b, err := os.ReadFile(m.path("file")); err == nil {
		t.Errorf("read %q after Close", b)
	}
	f.Close()
	m.unmount()
	if n := descriptors(t); n > before {
		t.Errorf("%d descriptors more than before", n-before)
	}
}
