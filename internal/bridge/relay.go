package bridge

import (
	"errors"
	"io"
	"time"
)

// spliceMin is the rest of a body from which on it is worth to let the kernel
// move it; spliceMax is how much it moves before we look up.
const (
	spliceMin = 128 << 10
	spliceMax = 4 << 20
)

// relayResponse passes the response on, filtered, after its head was read.
func (e *exchange) relayResponse() error {
	status, ok := outgoingStatus(e.head.status, e.req.Method)
	if !ok {
		return badResponse("status %d", e.head.status)
	}
	h := &e.head
	out := Head{Status: status, Length: h.length, HasBody: e.req.Method != "HEAD" && bodyAllowed(status)}
	switch {
	case status == 204 || status == 304:
		out.Length = lengthUnknown
	case status == 205:
		out.Length = 0
	case h.chunked:
		out.Length = lengthUnknown
	}
	e.fields = e.sess.appendAllowed(e.fields[:0], h, e.req.ThirdParty)
	e.fields = append(e.fields, e.req.Always...)
	out.Fields = e.fields
	out.Closing = e.upload != nil && !e.upload.complete.Load()
	if err := e.out.Start(&out); err != nil {
		return ErrAborted
	}
	clean, err := e.relayBody(e.req.Method != "HEAD" && bodyAllowed(h.status), out.HasBody)
	if err != nil {
		return ErrAborted
	}
	if e.upload != nil {
		e.upload.wait(e.app.waits.upload)
		clean = clean && e.upload.complete.Load() && !e.upload.refused.Load()
	}
	// Bytes behind the response belong to no request.
	if clean && h.keepAlive && e.conn.r == e.conn.w {
		e.keep()
	}
	return nil
}

// relayBody copies the body in the way that the app frames it. clean reports
// whether the connection stands right behind the response.
func (e *exchange) relayBody(has, wanted bool) (clean bool, err error) {
	h := &e.head
	switch {
	case !has || !wanted:
		// 204 and 205 must have none; if an app sends one, its end is unknown.
		return !has && (e.req.Method == "HEAD" || h.status == 304 || !h.chunked && h.length <= 0), nil
	case h.chunked:
		err = e.relayChunks()
	case h.length == lengthUnknown:
		err = e.relayToEnd()
		return false, err
	default:
		err = e.relayLength(h.length)
	}
	return err == nil, err
}

// relayLength copies n bytes.
func (e *exchange) relayLength(n int64) error {
	c := e.conn
	first := c.unread()
	if int64(len(first)) > n {
		first = first[:n]
	}
	c.r += len(first)
	if len(first) > 0 {
		if _, err := e.out.Write(first); err != nil {
			return err
		}
	}
	if n -= int64(len(first)); n == 0 {
		return nil
	}
	e.slow()
	defer e.out.SetWriteDeadline(time.Time{})
	for n >= spliceMin {
		m := min(n, spliceMax)
		e.allow(m)
		done, ok, err := e.out.CopyFrom(c.Conn, m)
		e.app.touch()
		if n -= done; err != nil {
			return err
		}
		if !ok {
			break
		}
		if done != m {
			return io.ErrUnexpectedEOF
		}
	}
	return e.copyN(n)
}

// copyN copies the n bytes that the connection sends next, none of which were
// read ahead.
func (e *exchange) copyN(n int64) error {
	// What came with the head must not wait for the rest.
	if err := e.out.Flush(); err != nil {
		return err
	}
	p := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(p)
	for n > 0 {
		b := (*p)[:min(n, copyBuffer)]
		m, err := e.conn.Conn.Read(b)
		if m > 0 {
			n -= int64(m)
			if werr := e.write(b[:m], n > 0); werr != nil {
				return werr
			}
		} else if err != nil {
			return unexpected(err)
		}
	}
	return nil
}

// relayToEnd copies until the app closes the connection.
func (e *exchange) relayToEnd() error {
	c := e.conn
	e.slow()
	defer e.out.SetWriteDeadline(time.Time{})
	if first := c.unread(); len(first) > 0 {
		c.r = c.w
		if err := e.write(first, false); err != nil {
			return err
		}
	}
	if err := e.out.Flush(); err != nil {
		return err
	}
	p := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(p)
	for {
		m, err := c.Conn.Read(*p)
		if m > 0 {
			if werr := e.write((*p)[:m], true); werr != nil {
				return werr
			}
		}
		switch {
		case err == io.EOF && !c.aborted.Load():
			return nil
		case err != nil:
			return err
		}
	}
}

// slow prepares for a body that takes longer than reading what is there.
func (e *exchange) slow() {
	e.watch()
	e.conn.waitAtMost(0)
}

// allow gives the client time to take n bytes.
func (e *exchange) allow(n int64) {
	e.out.SetWriteDeadline(time.Now().Add(e.app.waits.client + time.Duration(n>>10)*e.app.waits.perKiB))
}

// write passes b on; with flush it reaches the client at once, as events and
// progress must.
func (e *exchange) write(b []byte, flush bool) error {
	e.app.touch()
	e.allow(int64(len(b)))
	if _, err := e.out.Write(b); err != nil {
		return err
	}
	if flush {
		return e.out.Flush()
	}
	return nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
