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

// watchedFile is a file to look out for, and either what it was before it was
// used, or a time when it was not used yet.
type watchedFile struct {
	path  string
	was   stamp
	since time.Time
}

// stamp tells a file from what it was before; the zero stamp is that of no file.
type stamp struct {
	inode   uint64
	changed unix.Timespec
}

func stampOf(file string) stamp {
	var st unix.Stat_t
	if unix.Stat(file, &st) != nil {
		return stamp{}
	}
	return stamp{st.Ino, st.Ctim}
}

// addSince looks out for changes of a file, also for those since a time.
func (w *watcher) addSince(file string, since time.Time) {
	w.add(watchedFile{path: absolute(file), since: since})
}

// addStamped looks out for changes of a file, also for those since it was was.
func (w *watcher) addStamped(file string, was stamp) {
	w.add(watchedFile{path: absolute(file), was: was})
}

func (w *watcher) add(file watchedFile) {
	select {
	case w.added <- file:
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
	now := stampOf(file.path)
	if file.since.IsZero() {
		return now != file.was
	}
	return time.Unix(now.changed.Unix()).After(file.since.Add(-clockTick))
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
