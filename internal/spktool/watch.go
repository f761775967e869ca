package spktool

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"
)

// settle is how long files must have been quiet before a change is told: an
// editor or a compiler writes several.
const settle = 200 * time.Millisecond

// clockTick is how far the times of files lag behind the clock.
const clockTick = 20 * time.Millisecond

// maxWatched bounds the directories that are watched: the kernel has a limit
// for each user.
const maxWatched = 4000

// watcher tells which of the files that were added have changed. It watches
// their directories, since editors put new files in place of old ones.
type watcher struct {
	fs      *fsnotify.Watcher
	changed chan []string
	added   chan watchedFile
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
		fs: fs, changed: make(chan []string), added: make(chan watchedFile), done: make(chan struct{}),
		dirs: map[string]bool{}, files: map[string]bool{},
	}
	go w.run()
	return w, nil
}

func (w *watcher) close() {
	close(w.done)
	w.fs.Close()
}

// watchedFile is a file to look out for, and a time when it was not used yet.
type watchedFile struct {
	path  string
	since time.Time
}

// add looks out for changes of a file, also for those since a time.
func (w *watcher) add(file string, since time.Time) {
	select {
	case w.added <- watchedFile{absolute(file), since}:
	case <-w.done:
	}
}

func (w *watcher) run() {
	var pending []string
	known := map[string]bool{} // what is in pending
	quiet := time.NewTimer(settle)
	settled := false
	changedNow := func(file string) {
		settled = false
		quiet.Reset(settle)
		if !known[file] {
			known[file] = true
			pending = append(pending, file)
		}
	}
	for {
		var out chan []string // nil while there is nothing to tell
		if len(pending) > 0 && settled {
			out = w.changed
		}
		select {
		case <-w.done:
			return
		case file := <-w.added:
			if w.watch(file) {
				changedNow(file.path)
			}
		case <-quiet.C:
			settled = true
		case e, ok := <-w.fs.Events:
			if !ok {
				return
			}
			if e.Op != fsnotify.Chmod && w.files[e.Name] {
				changedNow(e.Name)
			}
		case err := <-w.fs.Errors:
			// Nobody would hear of anything any more if this were not read. After
			// an overflow any file may have changed.
			if errors.Is(err, fsnotify.ErrEventOverflow) {
				for file := range w.files {
					changedNow(file)
				}
			}
		case out <- pending:
			pending = nil
			clear(known)
		}
	}
}

// watch reports whether a file that is new here has changed already.
func (w *watcher) watch(file watchedFile) (changed bool) {
	dir := filepath.Dir(file.path)
	if !w.dirs[dir] && len(w.dirs) < maxWatched {
		w.dirs[dir] = w.fs.Add(dir) == nil // else the next file tries again
	}
	if w.files[file.path] {
		return false
	}
	w.files[file.path] = true
	var st unix.Stat_t
	if err := unix.Stat(file.path, &st); err != nil {
		return false
	}
	return time.Unix(st.Ctim.Unix()).After(file.since.Add(-clockTick))
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
