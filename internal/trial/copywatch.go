package trial

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// tracer sees what an app uses.
type tracer interface {
	Used() []string      // sorted
	Idle() time.Duration // since something was used for the first time
}

// copyWatch sees which files of a copy of the package are opened, where FUSE
// may not be used: nobody but the app opens them, so it is enough to have the
// kernel tell of every open in every directory. The kernel does not tell of
// symlinks that are read and of files whose existence is asked for; so all
// symlinks and all empty files count as used, which costs a package little.
type copyWatch struct {
	root   string
	queue  *os.File
	dirs   map[int32]string // by watch
	always []string
	done   chan struct{}

	mu     sync.Mutex
	used   map[string]bool
	latest time.Time
	err    error // the kernel told less than there was
}

// watchCopy begins to watch a directory and all below it.
func watchCopy(root string) (*copyWatch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	w := &copyWatch{
		root: root, queue: os.NewFile(uintptr(fd), "inotify"), dirs: map[int32]string{},
		done: make(chan struct{}), used: map[string]bool{}, latest: time.Now(),
	}
	dirs, err := w.survey()
	for _, dir := range dirs {
		if err != nil {
			break
		}
		err = w.watch(fd, dir)
	}
	if err != nil {
		w.queue.Close()
		return nil, err
	}
	go w.collect()
	return w, nil
}

// survey lists the directories. It is over before the first is watched, because
// it opens them itself.
func (w *copyWatch) survey() (dirs []string, err error) {
	err = filepath.WalkDir(w.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(w.root, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			dirs = append(dirs, rel)
		case e.Type()&fs.ModeSymlink != 0:
			w.always = append(w.always, rel)
		default:
			if info, err := e.Info(); err == nil && info.Size() == 0 {
				w.always = append(w.always, rel)
			}
		}
		return nil
	})
	return dirs, err
}

func (w *copyWatch) watch(fd int, dir string) error {
	id, err := unix.InotifyAddWatch(fd, filepath.Join(w.root, dir), unix.IN_OPEN|unix.IN_ONLYDIR|unix.IN_DONT_FOLLOW)
	if errors.Is(err, unix.ENOSPC) {
		return errors.New("the package has more directories than this user may watch; root can raise the sysctl fs.inotify.max_user_watches")
	}
	if err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	w.dirs[int32(id)] = dir
	return nil
}

// collect reads events until the queue is closed.
func (w *copyWatch) collect() {
	defer close(w.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := w.queue.Read(buf)
		if err != nil {
			return
		}
		w.note(buf[:n])
	}
}

// note takes whole events: watch, mask, cookie and length of the name, each of
// 32 bits, and the name, which is filled up with NUL.
func (w *copyWatch) note(events []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(events) >= unix.SizeofInotifyEvent {
		id := int32(binary.NativeEndian.Uint32(events))
		mask := binary.NativeEndian.Uint32(events[4:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(events[12:]))
		name := strings.TrimRight(string(events[unix.SizeofInotifyEvent:end]), "\x00")
		events = events[end:]
		if mask&unix.IN_Q_OVERFLOW != 0 {
			w.err = errors.New("the app opened files faster than they could be noted")
			continue
		}
		dir, known := w.dirs[id]
		path := filepath.Join(dir, name)
		if mask&unix.IN_OPEN != 0 && known && path != "." && !w.used[path] {
			w.used[path] = true
			w.latest = time.Now()
		}
	}
}

// Used implements tracer.
func (w *copyWatch) Used() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	paths := slices.AppendSeq(slices.Clone(w.always), maps.Keys(w.used))
	slices.Sort(paths)
	return slices.Compact(paths)
}

// Idle implements tracer.
func (w *copyWatch) Idle() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.latest)
}

// close ends the watch, and reports whether it saw everything.
func (w *copyWatch) close() error {
	_ = w.queue.Close()
	<-w.done
	return w.err
}
