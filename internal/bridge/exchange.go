package bridge

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/sandstorm-go/sandstorm"
)

// exchange is one request on its way to the app and back.
type exchange struct {
	app    *App
	ctx    context.Context
	req    *Request
	sess   *Session
	out    Sink
	rule   *methodRule
	socket bool // a WebSocket handshake
	noted  [actionCount]string

	conn     *conn
	upload   *upload // a body that is streamed; nil otherwise
	buf      []byte  // the request as it goes to the app
	head     responseHead
	fields   []Field // what leaves
	started  bool    // something was sent to the client
	unwatch  [2]func() bool
	watching bool
}

var exchanges = sync.Pool{New: func() any { return &exchange{buf: make([]byte, 0, 4<<10)} }}

// Serve carries one request of a session to the app and its response to out.
// It returns once the response ended, or a WebSocket was closed. A *Failure
// means that out was not touched, ErrAborted that the client's connection must
// be broken.
func (a *App) Serve(ctx context.Context, req *Request, s *Session, out Sink) error {
	if err := s.ready(); err != nil {
		return err
	}
	if a.inFlight.Add(1) > maxInFlight {
		a.inFlight.Add(-1)
		return fail(503, sandstorm.Exhausted, "bridge.busy", "more than %d requests in flight", maxInFlight)
	}
	defer a.inFlight.Add(-1)
	defer a.touch()
	e := exchanges.Get().(*exchange)
	e.app, e.ctx, e.req, e.sess, e.out = a, ctx, req, s, out
	err := e.run()
	e.release()
	return err
}

func (e *exchange) release() {
	if cap(e.buf) > 64<<10 {
		return
	}
	clear(e.fields)
	clear(e.head.fields)
	*e = exchange{buf: e.buf[:0], fields: e.fields[:0], head: responseHead{fields: e.head.fields[:0]}}
	exchanges.Put(e)
}

func (e *exchange) run() error {
	if err := e.prepare(); err != nil {
		return err
	}
	defer e.finish()
	if err := e.ask(); err != nil {
		return err
	}
	if e.head.status == 101 {
		return e.relaySocket()
	}
	return e.relayResponse()
}

// prepare writes the whole request into e.buf, or all but a body that is too
// large or of unknown length.
func (e *exchange) prepare() error {
	if e.rule = methods[e.req.Method]; e.rule == nil {
		return fail(501, sandstorm.Invalid, "bridge.method", "method %.40q", e.req.Method)
	}
	if t := e.req.Target; t == "" || t[0] != '/' || !isTarget(t) {
		return badRequest("malformed request target")
	}
	e.socket = e.req.Method == "GET" && e.req.WantsSocket()
	buf, err := e.appendHead(e.buf[:0])
	if err != nil {
		return err
	}
	if e.socket {
		buf, err = e.appendHandshake(buf)
	} else {
		buf, err = e.appendBody(buf)
	}
	if err != nil {
		return err
	}
	e.buf = buf
	return nil
}

// isTarget reports whether t can stand in a request line. Bytes above ASCII
// pass: some clients do not encode them.
func isTarget(t string) bool {
	for i := range len(t) {
		if c := t[i]; c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// ask sends the request and reads the response head. A pooled connection that
// turns out to be dead is replaced once, if the app cannot have seen anything.
func (e *exchange) ask() error {
	// What cannot be repeated goes only over a connection that was just checked.
	e.conn = e.app.take(!e.rule.replay || e.socket)
	for {
		if e.conn == nil {
			c, err := e.app.dial(e.ctx)
			if err != nil {
				return err
			}
			e.conn = c
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
	c.waitAtMost(patience)
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
	c, seen := e.conn, 0
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
			e.app.impatient(c)
			e.watch()
			c.waitAtMost(0)
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
	e.app.put(c)
}
