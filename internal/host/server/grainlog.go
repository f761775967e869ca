package server

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// logPart is how large each of the two log files may become: together they
// hold the last 512 KiB to 1 MiB of what an app wrote (sandbox.md §5).
const logPart = 512 << 10

// grainLog is a grain's log on disk: "log", and "log.1" with what came before.
// Positions count from the oldest byte that was there when the log was opened
// and grow for ever, so that a reader finds its place after a rotation.
type grainLog struct {
	dir *dir

	mu      sync.Mutex
	file    *os.File // "log"
	start   int64    // position of its first byte
	size    int64    // its length
	oldSize int64    // length of "log.1", which ends where "log" starts
	more    chan struct{}
	ended   bool
	lost    bool // "log" could not be opened again after a rotation
}

// openLog opens the log in the grain's directory d, which stays the caller's.
func openLog(d *dir) (*grainLog, error) {
	l := &grainLog{dir: d, more: make(chan struct{})}
	if st, err := d.stat(fileOldLog); err == nil {
		l.oldSize = st.Size
	}
	if err := l.open(); err != nil {
		return nil, err
	}
	if l.size > logPart {
		// It is from a server that bounded it only now and then.
		if err := l.rotate(); err != nil {
			l.file.Close()
			return nil, err
		}
	}
	if l.oldSize > logPart {
		if err := l.shorten(); err != nil {
			l.file.Close()
			return nil, err
		}
	}
	l.start = l.oldSize
	return l, nil
}

func (l *grainLog) open() error {
	f, err := l.dir.open(fileLog, unix.O_RDWR|unix.O_APPEND|unix.O_CREAT|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("log is not a file")
	}
	if err == nil {
		err = f.Chmod(0o600)
	}
	if err != nil {
		f.Close()
		return err
	}
	l.file, l.size, l.lost = f, info.Size(), false
	return nil
}

// rotate makes "log" "log.1" and starts an empty one.
func (l *grainLog) rotate() error {
	if err := l.dir.move(fileLog, l.dir, fileOldLog, true); err != nil {
		return err
	}
	l.file.Close()
	l.start, l.oldSize, l.size = l.start+l.size, l.size, 0
	l.lost = true
	return l.open()
}

// shorten cuts "log.1" to its last part.
func (l *grainLog) shorten() error {
	f, err := l.dir.open(fileOldLog, unix.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	tail := make([]byte, logPart)
	if _, err := f.ReadAt(tail, l.oldSize-logPart); err != nil {
		return err
	}
	if err := l.dir.replaceFile(fileOldLog, tail); err != nil {
		return err
	}
	l.oldSize = logPart
	return nil
}

// Write appends p, which is at most logPart bytes.
func (l *grainLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost { // the machine was out of something then
		if err := l.open(); err != nil {
			return 0, err
		}
	}
	if l.size+int64(len(p)) > logPart {
		if err := l.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	close(l.more)
	l.more = make(chan struct{})
	return n, err
}

// end says that nothing more comes: the grain is deleted.
func (l *grainLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.ended = true
		close(l.more)
		l.more = make(chan struct{})
	}
}

func (l *grainLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file.Close()
}

// tail is the position of the last backlog bytes.
func (l *grainLog) tail(backlog int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	oldest, end := l.start-l.oldSize, l.start+l.size
	if backlog < 0 || backlog > end-oldest {
		backlog = end - oldest
	}
	return end - backlog
}

// read fills p from position pos and returns where the data that it gave ends.
// A reader that was overtaken is told how much it missed. n is 0 at the end of
// the log: then more is closed when there is more, unless the log has ended.
func (l *grainLog) read(pos int64, p []byte) (n int, next int64, more <-chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	oldest := l.start - l.oldSize
	switch {
	case pos < oldest:
		note := fmt.Sprintf("\n** %d bytes of the log were dropped: it grew faster than it was read\n", oldest-pos)
		return copy(p, note), oldest, nil, nil
	case pos < l.start:
		f, err := l.dir.open(fileOldLog, unix.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			return 0, pos, nil, err
		}
		defer f.Close()
		n, err = readAt(f, p, pos-oldest)
		if n == 0 && err == nil {
			return 0, pos, nil, errors.New("old log is shorter than it was")
		}
		return n, pos + int64(n), nil, err
	case pos < l.start+l.size:
		n, err = readAt(l.file, p, pos-l.start)
		if n == 0 && err == nil {
			return 0, pos, nil, errors.New("log is shorter than it was")
		}
		return n, pos + int64(n), nil, err
	case l.ended:
		return 0, pos, nil, nil
	}
	return 0, pos, l.more, nil
}

// readAt is one pread, for which the end of the file is no error.
func readAt(f *os.File, p []byte, offset int64) (int, error) {
	n, err := unix.Pread(int(f.Fd()), p, offset)
	if err != nil {
		return 0, os.NewSyscallError("pread", err)
	}
	return n, nil
}
