package spktool

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long files must have been quiet before a change is told: an
// editor or a compiler writes several.
const settle = 200 * time.Millisecond

// maxWatched bounds the directories that are watched: the kernel has a limit
// for each user.
const maxWatched = 4000

// watcher tells which of the files that were added have changed. It watches
// their directories, since editors put new files in place of old ones.
type watcher struct {
	fs      *fsnotify.Watcher
	changed chan []string
	added   chan string
	done    chan struct{}
	dirs    map[string]bool
	files   map[string]bool
}

func newWatcher() (*watcher, error) {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("cannot watch files: %w", err)
	}
	w := &watcher{
		fs: fs, changed: make(chan []string), added: make(chan string), done: make(chan struct{}),
		dirs: map[string]bool{}, files: map[string]bool{},
	}
	go w.run()
	return w, nil
}

func (w *watcher) close() {
	close(w.done)
	w.fs.Close()
}

// add looks out for changes of a file from now on.
func (w *watcher) add(file string) {
	select {
	case w.added <- absolute(file):
	case <-w.done:
	}
}

func (w *watcher) run() {
	var pending []string
	quiet := time.NewTimer(settle)
	settled := false
	for {
		var out chan []string // nil while there is nothing to tell
		if len(pending) > 0 && settled {
			out = w.changed
		}
		select {
		case <-w.done:
			return
		case file := <-w.added:
			w.watch(file)
		case <-quiet.C:
			settled = true
		case e, ok := <-w.fs.Events:
			if !ok {
				return
			}
			if e.Op == fsnotify.Chmod || !w.files[e.Name] {
				continue
			}
			settled = false
			quiet.Reset(settle)
			if !slices.Contains(pending, e.Name) {
				pending = append(pending, e.Name)
			}
		case out <- pending:
			pending = nil
		}
	}
}

func (w *watcher) watch(file string) {
	w.files[file] = true
	dir := filepath.Dir(file)
	if !w.dirs[dir] && len(w.dirs) < maxWatched {
		w.dirs[dir] = w.fs.Add(dir) == nil // else the next file tries again
	}
}

func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return abs
}

// more says how many there are besides.
func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}
