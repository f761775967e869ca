package bridge

import (
	"context"
	"errors"
	"io"
	"time"
)

// ask sends the request and reads the response head. A pooled connection that
// turns out to be dead is replaced once, if the app cannot have seen anything.
func (e *exchange) ask() error {
	e.now = time.Now()
	// What cannot be repeated goes only over a connection that was just checked.
	e.conn = e.app.take(e.now, !e.rule.replay || e.socket)
	for {
		if e.conn == nil {
			c, err := e.app.dial(e.ctx)
			if err != nil {
				return err
			}
			e.conn, e.now = c, time.Now() // a grain may have taken long to answer
		}
		written, err := e.send()
		if err == nil {
			err = e.readHead()
		}
		if err == nil {
			return nil
		}
		stale := e.conn.reused && e.conn.w == 0 && e.upload == nil && !e.conn.aborted.Load() &&
			(written == 0 || e.rule.replay) && !e.socket
		if !stale {
			return e.explain(err)
		}
		e.unwatchAll()
		e.app.drop(e.conn)
		e.conn = nil
	}
}

// send writes the request and starts the upload, if there is one.
func (e *exchange) send() (written int, err error) {
	if len(e.buf) > 16<<10 || e.streams() {
		e.watch()
	}
	n, err := e.conn.Write(e.buf)
	if err != nil {
		return n, err
	}
	if e.streams() {
		e.upload = startUpload(e)
	}
	return n, nil
}

// readHead reads the final response head, skipping interim ones.
func (e *exchange) readHead() error {
	c := e.conn
	c.waitAbout(e.now, patience)
	for range maxInterim {
		n, err := e.readHeadBytes()
		if err != nil {
			return err
		}
		if err := e.head.parse(string(c.buf[c.r : c.r+n])); err != nil {
			return badResponse("response head: %w", err)
		}
		c.r += n
		if !c.served {
			e.app.accepted(c)
		}
		if s := e.head.status; s >= 200 || s == 101 && e.socket {
			return nil
		}
		if e.head.status == 101 {
			return badResponse("switched protocols unasked")
		}
	}
	return badResponse("more than %d interim responses", maxInterim)
}

// readHeadBytes reads until a head is whole and returns its length.
func (e *exchange) readHeadBytes() (int, error) {
	c, seen, wait := e.conn, 0, patience
	for {
		if n := headEnd(c.unread(), seen); n > 0 {
			return n, nil
		}
		seen = c.w - c.r
		err := c.fill(maxHead)
		switch {
		case err == nil:
		case errors.Is(err, errHeadTooLarge):
			return 0, badResponse("response head above %d bytes", maxHead)
		case isTimeout(err) && !c.aborted.Load():
			e.watch()
			if wait *= 2; !e.app.impatient(c) {
				wait = 0
			}
			c.waitAtMost(wait)
		default:
			return 0, err
		}
	}
}

// watch lets the end of the request or of the session abort the connection. The
// usual quick request is over before that would be worth its cost.
func (e *exchange) watch() {
	if e.watching {
		return
	}
	e.watching = true
	c := e.conn
	e.unwatch[0] = context.AfterFunc(e.ctx, c.abort)
	e.unwatch[1] = context.AfterFunc(e.sess.life, c.abort)
}

// explain turns an error of the app's connection into what the client is told.
func (e *exchange) explain(err error) error {
	var failure *Failure
	switch {
	case errors.As(err, &failure):
		return failure
	case e.upload != nil && e.upload.clientError() != nil:
		return clientGone(e.upload.clientError())
	case e.ctx.Err() != nil:
		return clientGone(e.ctx.Err())
	case e.sess.life.Err() != nil:
		return e.sess.ready()
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return noAnswer(err)
}

// finish gives the connection back, or closes it if it was not left clean.
func (e *exchange) finish() {
	if e.upload != nil {
		e.upload.wait(0)
	}
	e.unwatchAll()
	if e.conn != nil {
		e.app.touch()
		e.app.drop(e.conn)
	}
}

// unwatchAll reports whether the connection was not aborted and will not be.
func (e *exchange) unwatchAll() bool {
	if !e.watching {
		return true
	}
	e.watching = false
	first, second := e.unwatch[0](), e.unwatch[1]()
	return first && second
}

// keep marks the connection as clean, so that it returns to the pool.
func (e *exchange) keep() {
	if !e.unwatchAll() {
		return
	}
	c := e.conn
	e.conn = nil
	e.app.put(c, e.app.touch())
}
