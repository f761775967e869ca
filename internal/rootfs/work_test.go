package rootfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestIntoWhatIsThere adds an image to a directory that has files already.
func TestIntoWhatIsThere(t *testing.T) {
	for _, c := range []struct {
		name   string
		before files
		after  string
		err    string
	}{
		{"empty", files{}, "a/\na/f = new\ns -> a", ""},
		{"other files", files{"a/g": "old", "z": "old"}, "a/\na/f = new\na/g = old\ns -> a\nz = old", ""},
		{"the same files", files{"a/f": "new"}, "a/\na/f = new\ns -> a", ""},
		{"another file", files{"a/f": "old", "z": "z"}, "a/\na/f = old\nz = z", "a/f is there already"},
		{"a file for a directory", files{"a": "old"}, "a = old", "a is there already"},
		{"a directory for a symlink", files{"s/x": "old"}, "s/\ns/x = old", "s is there already"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newImage(t).layer(file("a/f", "new"), symlink("s", "a"))
			m.index(m.manifest())
			into := filepath.Join(t.TempDir(), "root")
			c.before.write(t, into)
			_, err := (ociLayout{m.dir}).Unpack(t.Context(), into, Options{})
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got %v, want %q", err, c.err)
			}
			if got := list(t, into); got != c.after {
				t.Errorf("got\n%s\nwant\n%s", got, c.after)
			}
			if others, _ := os.ReadDir(filepath.Dir(into)); len(others) != 1 {
				t.Errorf("something stays behind: %v", others)
			}
		})
	}
}

type files map[string]string

func (all files) write(t testing.TB, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTimes: everything has the time that an archive gives it, so that equal
// images make equal packages.
func TestTimes(t *testing.T) {
	old := clock.Add(-time.Hour)
	d := dir("d")
	d.ModTime = old
	late := file("late", "x")
	late.ModTime = time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)
	early := file("d/early", "x")
	early.ModTime = time.Unix(-1000, 0)
	m := newImage(t).layer(d, file("d/f", "f"), symlink("d/s", "f"), file("implied/deep/f", "f"), late, early).layer(file("d/.wh.f", ""))
	root, _, err := m.unpack()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]time.Time{
		"d": old, "d/s": clock, "implied": clock, "implied/deep": clock, "implied/deep/f": clock, "late": latest, "d/early": time.Unix(0, 0), ".": latest,
	} {
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if !info.ModTime().Equal(want) {
			t.Errorf("%s is of %v, want %v", name, info.ModTime(), want)
		}
	}
}
