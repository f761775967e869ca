package spktool

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fsnotify/fsnotify"
)

// When the kernel has lost count, everything may have changed; and the watch
// goes on, whatever else goes wrong.
func TestWatchOverflow(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, file := range []string{a, b} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w, err := newWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	w.addStamped(a, stampOf(a))
	w.addStamped(b, stampOf(b))
	for range 3 {
		w.fs.Errors <- errors.New("something else")
	}
	w.fs.Errors <- fsnotify.ErrEventOverflow
	changed := <-w.changed
	if slices.Sort(changed); !slices.Equal(changed, []string{a, b}) {
		t.Error(changed)
	}
	if err := os.WriteFile(a, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if changed := <-w.changed; !slices.Equal(changed, []string{a}) {
		t.Error(changed)
	}
}

// What was written a moment before it was looked at has not changed since; what
// was replaced between looking and watching has.
func TestWatchFromStamp(t *testing.T) {
	dir := t.TempDir()
	fresh, replaced := filepath.Join(dir, "fresh"), filepath.Join(dir, "replaced")
	for _, file := range []string{fresh, replaced} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w, err := newWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	was := stampOf(replaced)
	if err := os.WriteFile(replaced+".new", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(replaced+".new", replaced); err != nil {
		t.Fatal(err)
	}
	w.addStamped(fresh, stampOf(fresh))
	w.addStamped(replaced, was)
	if changed := <-w.changed; !slices.Equal(changed, []string{replaced}) {
		t.Error(changed)
	}
}
