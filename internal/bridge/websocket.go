package bridge

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"net"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// socketKey is what apps always saw (gateway.md §11). The client's own key is
// answered by the gateway. What the app answers to ours is not checked: it
// proves nothing about a hostile app, and the original let sloppy ones pass.
const socketKey = "mj9i153gxeYNlGDoKdoXOQ=="

// WantsSocket reports whether the client asks for a WebSocket.
func (r *Request) WantsSocket() bool {
	upgrade, connection := false, false
	for _, f := range r.Fields {
		switch {
		case equalFold(f.Name, "Upgrade"):
			upgrade = upgrade || hasListToken(f.Value, "websocket")
		case equalFold(f.Name, "Connection"):
			connection = connection || hasListToken(f.Value, "upgrade")
		}
	}
	return upgrade && connection
}

// appendHandshake checks the client's handshake and writes ours to the app.
// Extensions are never offered, so that frames pass unparsed.
func (e *exchange) appendHandshake(buf []byte) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(e.noted[noteSocketKey])
	if err != nil || len(key) != 16 {
		return nil, badRequest("malformed Sec-WebSocket-Key")
	}
	if e.noted[noteSocketVersion] != "13" {
		return nil, fail(426, sandstorm.Invalid, "bridge.websocket-version", "WebSocket version %.20q", e.noted[noteSocketVersion])
	}
	buf = append(buf, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"...)
	buf = appendField(buf, "Sec-WebSocket-Key", socketKey)
	if p := e.noted[noteProtocols]; p != "" {
		buf = appendField(buf, "Sec-WebSocket-Protocol", p)
	}
	return append(buf, "\r\n"...), nil
}

// relaySocket accepts the client's handshake and copies bytes both ways until
// both sides are done, the session ends or the app goes away.
func (e *exchange) relaySocket() error {
	answer := sha1.Sum([]byte(e.noted[noteSocketKey] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fields := append(e.fields[:0],
		Field{"Sec-WebSocket-Accept", base64.StdEncoding.EncodeToString(answer[:])})
	for _, f := range e.head.fields {
		// A protocol that was not offered would only make the browser fail.
		if equalFold(f.Name, "Sec-WebSocket-Protocol") && hasListToken(e.noted[noteProtocols], f.Value) {
			fields = append(fields, Field{"Sec-WebSocket-Protocol", f.Value})
			break
		}
	}
	client, early, err := e.out.Upgrade(append(fields, e.req.Always...))
	if err != nil {
		return &Failure{Status: 500, Err: err}
	}
	defer client.Close()
	e.slow()
	defer context.AfterFunc(e.ctx, func() { client.Close() })()
	defer context.AfterFunc(e.sess.life, func() { client.Close() })()
	in := pump{from: client, to: e.conn.Conn, early: early, used: e.app.touch}
	back := pump{from: e.conn.Conn, to: client, early: e.conn.unread(), used: e.app.touch, stall: e.app.waits.client}
	in.ended = func() { e.conn.waitAtMost(e.app.waits.linger) }
	back.ended = func() { client.SetReadDeadline(time.Now().Add(e.app.waits.linger)) }
	var both sync.WaitGroup
	both.Go(in.run)
	back.run()
	both.Wait()
	return nil
}

// pump copies one direction of a WebSocket.
type pump struct {
	from, to net.Conn
	early    []byte           // already read from from
	used     func() time.Time // called when bytes passed
	ended    func()           // called at the end: bounds the other direction
	stall    time.Duration
}

// Buffers of a pump: most WebSockets are silent most of the time.
const (
	pumpSmall = 2 << 10
	pumpLarge = 32 << 10
)

func (p *pump) run() {
	defer p.ended()
	// The other side may still have something to say, but knows that no more
	// comes.
	if half, ok := p.to.(interface{ CloseWrite() error }); ok {
		defer half.CloseWrite()
	}
	if len(p.early) > 0 && !p.write(p.early) {
		return
	}
	buf := make([]byte, pumpSmall)
	for {
		n, err := p.from.Read(buf)
		if n > 0 && !p.write(buf[:n]) || err != nil {
			return
		}
		if n == len(buf) && n < pumpLarge {
			buf = make([]byte, pumpLarge)
		}
	}
}

func (p *pump) write(b []byte) bool {
	p.used()
	if p.stall > 0 {
		p.to.SetWriteDeadline(time.Now().Add(p.stall))
	}
	_, err := p.to.Write(b)
	return err == nil
}
