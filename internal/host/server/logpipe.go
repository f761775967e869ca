package server

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
	"golang.org/x/time/rate"
)

// The log is copied at most at this pace, so that an app that writes without
// end wears out neither disk nor processor: it waits instead.
const (
	logRate  = 8 << 20 // bytes per second
	logBurst = 1 << 20
)

// copyBuffers are shared by all grains: only a log that has something to say
// holds one.
var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// logPipe is the FIFO that an app writes its log to. It has a name, so that a
// later host can go on reading; the grain's first process holds a reading end,
// so that the pipe does not break while no host is there.
type logPipe struct {
	app    *os.File // for the app to write to
	keep   *os.File // for the grain's first process to hold
	reader *os.File // for the host
}

// openLogPipe makes the FIFO in the grain's directory, if needed, and opens all
// of its ends. The grain must not be running.
func openLogPipe(d *dir) (_ *logPipe, err error) {
	p := &logPipe{}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	// A FIFO of an earlier run may still be open somewhere: a new one cannot.
	if err := d.remove(filePipe); err != nil {
		return nil, err
	}
	if err := unix.Mkfifoat(d.fd, filePipe, 0o600); err != nil {
		return nil, os.NewSyscallError("mkfifoat", err)
	}
	// While there is a reader, opening the writing end does not block.
	if p.reader, err = openLogReader(d); err != nil {
		return nil, err
	}
	if p.app, err = d.open(filePipe, unix.O_WRONLY|unix.O_APPEND, 0); err != nil {
		return nil, err
	}
	if p.keep, err = d.open(filePipe, unix.O_RDONLY, 0); err != nil {
		return nil, err
	}
	return p, nil
}

// openLogReader opens the host's end of a FIFO that exists.
func openLogReader(d *dir) (*os.File, error) {
	return d.open(filePipe, unix.O_RDONLY|unix.O_NONBLOCK, 0)
}

// takeReader passes the host's end on to the caller.
func (p *logPipe) takeReader() *os.File {
	r := p.reader
	p.reader = nil
	return r
}

func (p *logPipe) close() {
	for _, f := range []*os.File{p.app, p.keep, p.reader} {
		if f != nil {
			f.Close()
		}
	}
}

// copyLog copies from the pipe to the log until nobody can write to the pipe
// any more, or ctx is done. What is in the pipe then stays there for the next
// host. A log that cannot be written (the disk is full) loses its text: the
// app must not stand still for it.
func copyLog(ctx context.Context, pipe *os.File, log io.Writer) error {
	defer pipe.Close()
	defer context.AfterFunc(ctx, func() { pipe.Close() })()
	raw, err := pipe.SyscallConn()
	if err != nil {
		return err
	}
	limit := rate.NewLimiter(logRate, logBurst)
	var lost error
	for {
		n, err := copyChunk(raw, log)
		if n <= 0 {
			return errors.Join(lost, err)
		}
		if err != nil {
			lost = err
		}
		if err := limit.WaitN(ctx, n); err != nil {
			return lost
		}
	}
}

// copyChunk waits until there is something to read and copies it. It takes a
// buffer only then.
func copyChunk(raw interface {
	Read(func(uintptr) bool) error
}, log io.Writer,
) (n int, err error) {
	rerr := raw.Read(func(fd uintptr) bool {
		buf := copyBuffers.Get().(*[64 << 10]byte)
		defer copyBuffers.Put(buf)
		for {
			n, err = unix.Read(int(fd), buf[:])
			if !errors.Is(err, unix.EINTR) {
				break
			}
		}
		if errors.Is(err, unix.EAGAIN) {
			n, err = 0, nil
			return false
		}
		if n > 0 && err == nil {
			_, err = log.Write(buf[:n])
		}
		return true
	})
	if rerr != nil {
		return 0, nil // closed: the host is going away
	}
	return n, err
}
