package bridge

import (
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// copyBuffer is what moves at once where the kernel cannot do it alone.
const copyBuffer = 64 << 10

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, copyBuffer); return &b }}

// upload carries a large request body to the app while the response may already
// come back (gateway.md §5: full duplex).
type upload struct {
	body     Body
	conn     *conn
	length   int64 // -1: chunked
	touch    func() time.Time
	stall    time.Duration // see waits.body
	done     chan struct{}
	complete atomic.Bool // the whole body was read from the client
	refused  atomic.Bool // the app stopped reading; the rest is thrown away
	failure  atomic.Pointer[error]

	mu      sync.Mutex
	stopped bool // no later deadline may be set
}

// expect bounds the next Read of the body; zero lifts the bound.
func (u *upload) expect(d time.Duration) {
	var t time.Time
	if d > 0 {
		t = time.Now().Add(d)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.stopped {
		u.body.SetReadDeadline(t)
	}
}

// stop makes pending and later Reads of the body and Writes to the app fail.
func (u *upload) stop() {
	u.refused.Store(true)
	u.conn.SetWriteDeadline(aLongTimeAgo)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
	u.body.SetReadDeadline(aLongTimeAgo)
}

func startUpload(e *exchange) *upload {
	u := &upload{
		body: e.req.Body, conn: e.conn, length: e.req.Length,
		touch: e.app.touch, stall: e.app.waits.body, done: make(chan struct{}),
	}
	go u.run()
	return u
}

// clientError is why the client's body broke off, if it did.
func (u *upload) clientError() error {
	if p := u.failure.Load(); p != nil {
		return *p
	}
	return nil
}

// run copies until the body ends. If the client breaks off, the app's
// connection is cut, so that it cannot take the body for whole.
func (u *upload) run() {
	defer close(u.done)
	p := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(p)
	// Room for a chunk's size before the data and its line end behind.
	const front, back = 10, 7
	space := (*p)[front : copyBuffer-back]
	left := u.length
	for {
		u.expect(u.stall)
		n, err := u.body.Read(space)
		u.touch()
		if left >= 0 {
			if left -= int64(n); left < 0 {
				n, err, left = 0, io.ErrShortBuffer, 0 // more than was announced
			}
		}
		if n > 0 && left == 0 || err == io.EOF && left <= 0 {
			u.complete.Store(true)
			err = io.EOF
		} else if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		u.pass((*p)[:front+n+back], front, n, err == io.EOF)
		if err == nil {
			continue
		}
		if err != io.EOF {
			u.failure.Store(&err)
			u.conn.abort()
		} else {
			u.expect(0)
		}
		return
	}
}

// pass sends n bytes of b from offset front on, framed if need be.
func (u *upload) pass(b []byte, front, n int, last bool) {
	if u.refused.Load() {
		return
	}
	data := b[front : front+n]
	if u.length < 0 {
		data = b[front:front]
		if n > 0 {
			var size [8]byte
			hex := strconv.AppendInt(size[:0], int64(n), 16)
			start := front - len(hex) - 2
			copy(b[start:], hex)
			copy(b[front-2:], "\r\n")
			copy(b[front+n:], "\r\n")
			data = b[start : front+n+2]
		}
		if last {
			data = append(data, "0\r\n\r\n"...)
		}
	}
	if len(data) == 0 {
		return
	}
	if _, err := u.conn.Write(data); err != nil {
		u.refused.Store(true)
	}
}

// wait gives a client that still sends some time after the response ended, then
// stops it. It returns once nobody reads the body any more.
func (u *upload) wait(grace time.Duration) {
	select {
	case <-u.done:
		return
	default:
	}
	if grace > 0 {
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-u.done:
			return
		case <-t.C:
		}
	}
	u.stop()
	<-u.done
}
