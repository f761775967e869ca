package bridge

import (
	"context"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// exchange is one request on its way to the app and back.
type exchange struct {
	app    *App
	ctx    context.Context
	req    *Request
	sess   *Session
	out    Sink
	now    time.Time // when it was sent
	rule   *methodRule
	socket bool // a WebSocket handshake
	noted  [actionCount]string

	conn     *conn
	upload   *upload // a body that is streamed; nil otherwise
	buf      []byte  // the request as it goes to the app
	head     responseHead
	fields   []Field // what leaves
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
