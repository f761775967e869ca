package bridge

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// connBuffer holds the head and the start of the body of usual responses.
const connBuffer = 8 << 10

var (
	errHeadTooLarge = errors.New("response head too large")
	aLongTimeAgo    = time.Unix(1, 0)
)

// conn is one connection to the app with what was read ahead from it. One
// exchange at a time owns it; only abort may be called by others.
type conn struct {
	net.Conn
	buf     []byte
	small   []byte // set while a larger buffer stands in
	r, w    int    // unread bytes are buf[r:w]
	aborted atomic.Bool

	deadline time.Time // of Reads

	// Owned by the App, under its mutex.
	seq       uint64 // in the order of opening
	before    uint64 // the last one that was open before this one was dialled
	served    bool   // a response came over it: the app has accepted it
	starving  bool   // it waits for being accepted, as far as we know
	known     bool   // it was accepted before another one that was answered
	freed     bool   // others were closed in its favour
	reused    bool   // it was in the pool before
	idleSince time.Time
}

// abort makes every pending and later Read and Write fail.
func (c *conn) abort() {
	c.aborted.Store(true)
	c.SetDeadline(aLongTimeAgo)
}

// waitAtMost bounds the next Reads; zero lifts the bound.
func (c *conn) waitAtMost(d time.Duration) {
	var t time.Time
	if d > 0 {
		t = time.Now().Add(d)
	}
	c.setReadDeadline(t)
}

// waitAbout bounds the next Reads by something between d and 2d from now: most
// calls find a deadline that will do and cost nothing.
func (c *conn) waitAbout(now time.Time, d time.Duration) {
	if until := c.deadline.Sub(now); until < d || until > 2*d {
		c.setReadDeadline(now.Add(2 * d))
	}
}

func (c *conn) setReadDeadline(t time.Time) {
	c.deadline = t
	c.SetReadDeadline(t)
	if c.aborted.Load() {
		c.SetDeadline(aLongTimeAgo)
	}
}

func (c *conn) unread() []byte { return c.buf[c.r:c.w] }

// fill reads more bytes, growing the buffer up to limit.
func (c *conn) fill(limit int) error {
	if c.r > 0 && c.r == c.w {
		c.r, c.w = 0, 0
	}
	if c.w == len(c.buf) {
		if c.r > 0 {
			c.w = copy(c.buf, c.buf[c.r:c.w])
			c.r = 0
		} else if len(c.buf) >= limit {
			return errHeadTooLarge
		} else {
			grown := make([]byte, min(2*len(c.buf), limit))
			c.w = copy(grown, c.buf[:c.w])
			c.buf = grown
		}
	}
	n, err := c.Conn.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// headEnd returns the length of the head at the start of b with its empty line,
// or 0 if it is not whole. from is where the search may start.
func headEnd(b []byte, from int) int {
	for i := max(from-3, 0); i < len(b); i++ {
		if b[i] != '\n' {
			continue
		}
		if i+1 < len(b) && b[i+1] == '\n' {
			return i + 2
		}
		if i+2 < len(b) && b[i+1] == '\r' && b[i+2] == '\n' {
			return i + 3
		}
	}
	return 0
}

// alive reports whether a pooled connection can still be used: open, and with
// nothing sent unasked. It costs one system call and is made where a request
// could not be repeated.
func (c *conn) alive() bool {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	open := false
	raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		open = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return open
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
