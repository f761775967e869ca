package spktool

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

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
	w.add(a, time.Now().Add(time.Hour)) // so that they count as unchanged
	w.add(b, time.Now().Add(time.Hour))
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
