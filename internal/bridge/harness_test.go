package bridge_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

const ownHost = "ui-1.sandstorm.test"

func testSession() *bridge.Session {
	return &bridge.Session{
		UserID: strings.Repeat("0a", 16), Username: "Ann Öl", TabID: strings.Repeat("1b", 16),
		Permissions: []string{"read", "write"}, ID: "7", BasePath: "https://" + ownHost,
	}
}

// recorder is a Sink without net/http.
type recorder struct {
	mu      sync.Mutex
	head    bridge.Head
	starts  int
	body    bytes.Buffer
	flushed chan string // what was written between flushes, if set
	pending bytes.Buffer
	fail    error // of Write
}

func (s *recorder) Start(h *bridge.Head) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts++
	s.head = *h
	s.head.Fields = append([]bridge.Field(nil), h.Fields...)
	return nil
}

func (s *recorder) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return 0, s.fail
	}
	s.pending.Write(p)
	return s.body.Write(p)
}

func (s *recorder) Flush() error {
	if s.flushed != nil && s.pending.Len() > 0 {
		s.flushed <- s.pending.String()
		s.pending.Reset()
	}
	return nil
}

func (s *recorder) CopyFrom(net.Conn, int64) (int64, bool, error) { return 0, false, nil }
func (s *recorder) SetWriteDeadline(time.Time) error              { return nil }
func (s *recorder) Upgrade([]bridge.Field) (net.Conn, []byte, error) {
	return nil, nil, errors.New("no upgrade")
}

func (s *recorder) get(name string) []string {
	var v []string
	for _, f := range s.head.Fields {
		if f.Name == name {
			v = append(v, f.Value)
		}
	}
	return v
}

// body is a request body without net/http.
type body struct {
	io.Reader
	mu      sync.Mutex
	stopped chan struct{}
}

func newBody(r io.Reader) *body { return &body{Reader: r, stopped: make(chan struct{})} }

func (b *body) SetReadDeadline(t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !t.IsZero() && time.Until(t) < 0 {
		select {
		case <-b.stopped:
		default:
			close(b.stopped)
			if c, ok := b.Reader.(io.Closer); ok {
				c.Close()
			}
		}
	}
	return nil
}

// rawApp is an app that speaks raw bytes: serve gets each connection and its
// number, and the connection is closed when it returns.
func rawApp(t *testing.T, serve func(c net.Conn, n int)) *bridge.App {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				serve(c, n)
			})
		}
	})
	app := bridge.NewApp(bridge.AppOptions{APIPath: "/api/", Dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", l.Addr().String())
	}})
	t.Cleanup(func() {
		app.Close()
		l.Close()
		all.Wait()
	})
	return app
}

// readHead reads a request head from a connection.
func readHead(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String(), err
		}
	}
}

// answering is an app that answers every request on a connection with the same
// bytes.
func answering(t *testing.T, response string) *bridge.App {
	return rawApp(t, func(c net.Conn, _ int) {
		r := bufio.NewReader(c)
		for {
			if _, err := readHead(r); err != nil {
				return
			}
			if _, err := io.WriteString(c, response); err != nil {
				return
			}
		}
	})
}

func get(target string) *bridge.Request {
	return &bridge.Request{Method: "GET", Target: target, Host: ownHost}
}

func failure(t *testing.T, err error) *bridge.Failure {
	t.Helper()
	var f *bridge.Failure
	if !errors.As(err, &f) {
		t.Fatalf("error is %v, want a Failure", err)
	}
	return f
}

func dialer(addr net.Addr) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, addr.Network(), addr.String())
	}
}
