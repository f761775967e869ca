// Package bridge turns one HTTP request of a session into the request that the
// app expects, and the app's response into one that may leave (gateway.md §5,
// §10, §11). It is what sandstorm-http-bridge was to old servers, moved out of
// the sandbox: the app and everything that it sends are hostile.
//
// The way of a request through this package: App.Serve (exchange.go) looks up
// the method (method.go), writes the head that the app sees (requesthead.go,
// requestrules.go, session.go), takes a connection (app.go, conn.go), reads and
// checks the response head (responsehead.go), decides what leaves
// (responserules.go, setcookie.go, status.go) and relays the body (relay.go) or
// the WebSocket (websocket.go).
//
// Nothing here knows net/http except the adapter in nethttp.go: another HTTP
// server needs only to fill a Request and to implement Sink.
package bridge

import (
	"io"
	"net"
	"time"
)

// Field is one header field. Values carry no white space around them.
type Field struct{ Name, Value string }

// Request is what the bridge needs to know of a client's request.
type Request struct {
	Method string
	// Target is path and query as the client sent them, still percent-encoded
	// (gateway.md §5); it starts with a slash.
	Target string
	// Host is the client's Host, for WebDAV's Destination.
	Host string
	// Fields are the header fields without Host, in any letter case.
	Fields []Field
	Body   Body  // nil if there is none
	Length int64 // of Body in bytes; -1 if unknown
	// ThirdParty says that the app's host is on another site than the shell, so
	// that only partitioned cookies work in its frame (gateway.md §16).
	ThirdParty bool

	// Always are fields of every response, whatever the app says.
	Always []Field

	small []byte // the body, once it was read whole
}

// Body is the client's request body. It is read by one goroutine at a time.
type Body interface {
	io.Reader
	// SetReadDeadline unblocks Read at t; zero means never.
	SetReadDeadline(t time.Time) error
}

// Head is the start of a response on its way to the client.
type Head struct {
	Status int
	Fields []Field
	// Length is the number of body bytes, or what the Content-Length of a HEAD
	// response says; -1 if unknown.
	Length int64
	// HasBody is false for HEAD requests and for statuses without a body.
	HasBody bool
	// Closing is true if the client still sends its body, so that its
	// connection cannot be used for another request.
	Closing bool
}

// Sink takes one response to the client.
type Sink interface {
	// Start is called once, before any Write.
	Start(h *Head) error
	io.Writer
	// Flush sends what was written so far.
	Flush() error
	// CopyFrom moves exactly n bytes from src to the client inside the kernel.
	// ok is false, and nothing happened, if the sink cannot do that.
	CopyFrom(src net.Conn, n int64) (done int64, ok bool, err error)
	// SetWriteDeadline bounds Write, Flush and CopyFrom; zero means never.
	SetWriteDeadline(t time.Time) error
	// Upgrade answers 101 with these fields instead of Start and hands over the
	// connection together with the bytes that were already read from it.
	Upgrade(fields []Field) (conn net.Conn, early []byte, err error)
}

const (
	// smallBody is the largest request body that is read whole before the app
	// sees the request (gateway.md §5: below 65,536 bytes).
	smallBody = 64<<10 - 1
	// maxInflated bounds XML request bodies that came compressed.
	maxInflated = 8 << 20
)

// waits are how long others may keep an exchange waiting.
type waits struct {
	body   time.Duration // for more of a body that the client sends; for the whole of a small one
	client time.Duration // for the client to take what it gets, besides …
	perKiB time.Duration // … for each KiB of it
	upload time.Duration // for the rest of a body after the app has answered (gateway.md §12)
	linger time.Duration // for one direction of a WebSocket after the other ended
}

var normalWaits = waits{body: time.Minute, client: 2 * time.Minute, perKiB: time.Second, upload: time.Second, linger: 10 * time.Second}
