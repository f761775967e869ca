package bridge_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// TestSlowUpload: a client that stops in the middle of a body does not keep the
// app.
func TestSlowUpload(t *testing.T) {
	for _, length := range []int64{100, 1 << 20, -1} {
		gone := make(chan struct{})
		app := rawApp(t, func(c net.Conn, _ int) {
			io.Copy(io.Discard, c)
			close(gone)
		})
		app.Hurry(50 * time.Millisecond)
		client, server := net.Pipe()
		go client.Write(make([]byte, 10))
		req := &bridge.Request{Method: "PUT", Target: "/", Host: ownHost, Body: server, Length: length}
		if f := failure(t, app.Serve(t.Context(), req, testSession(), &recorder{})); f.Status != 408 {
			t.Errorf("length %d: %+v", length, f)
		}
		if length != 100 { // a small body is awaited before the app hears of it
			<-gone
		}
		client.Close()
	}
}

// slowSink is a client that takes nothing.
type slowSink struct {
	recorder
	conn net.Conn
}

func (s *slowSink) Write(p []byte) (int, error)        { return s.conn.Write(p) }
func (s *slowSink) SetWriteDeadline(t time.Time) error { return s.conn.SetWriteDeadline(t) }

// TestSlowReader: a client that takes nothing does not keep the app.
func TestSlowReader(t *testing.T) {
	for name, response := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf4240\r\n",
		"close":   "HTTP/1.1 200 OK\r\n\r\n",
	} {
		gone := make(chan struct{})
		app := rawApp(t, func(c net.Conn, _ int) {
			readHead(bufio.NewReader(c))
			io.WriteString(c, response)
			// The body comes later, so that it is not read ahead.
			time.AfterFunc(20*time.Millisecond, func() { io.Copy(c, strings.NewReader(strings.Repeat("x", 1000000))) })
			io.Copy(io.Discard, c)
			close(gone)
		})
		app.Hurry(50 * time.Millisecond)
		client, server := net.Pipe()
		defer client.Close()
		err := app.Serve(t.Context(), get("/"), testSession(), &slowSink{conn: server})
		if !errors.Is(err, bridge.ErrAborted) {
			t.Errorf("%s: %v", name, err)
		}
		<-gone
	}
}
