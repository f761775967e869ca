package gateway_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
	"github.com/sandstorm-go/sandstorm/internal/gateway"
)

// cannedConn is a connection to an app without an app or a connection.
type cannedConn struct {
	net.Conn
	left     []byte
	response []byte
}

func (c *cannedConn) Write(p []byte) (int, error) {
	c.left = c.response
	return len(p), nil
}

func (c *cannedConn) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

func (*cannedConn) Close() error                    { return nil }
func (*cannedConn) SetReadDeadline(time.Time) error { return nil }
func (*cannedConn) SetDeadline(time.Time) error     { return nil }

type openSource struct{ gateway.OpenSession }

func (s openSource) Open(context.Context, sandstorm.HostID) (gateway.OpenSession, error) {
	return s.OpenSession, nil
}

type nullWriter struct{ header http.Header }

func (w *nullWriter) Header() http.Header         { return w.header }
func (w *nullWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *nullWriter) WriteHeader(int)             {}

// BenchmarkServe is what gateway and bridge themselves cost per request, without
// net/http and the kernel.
func BenchmarkServe(b *testing.B) {
	id := sandstorm.NewSessionID()
	response := append([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nETag: \"abc\"\r\nServer: x\r\nContent-Length: 1024\r\n\r\n"), bytes.Repeat([]byte("x"), 1024)...)
	source := openSource{gateway.OpenSession{
		App: bridge.NewApp(bridge.AppOptions{Dial: func(context.Context) (net.Conn, error) {
			return &cannedConn{response: response}, nil
		}}),
		Bridge: &bridge.Session{UserID: strings.Repeat("0a", 16), Username: "Ann", BasePath: "http://ui-" + string(id.HostID()) + ".x.test"},
	}}
	gw, err := gateway.New(gateway.Options{BaseURL: "http://x.test", WildcardHost: "*.x.test", Sessions: source})
	if err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequest("GET", "http://ui-"+string(id.HostID())+".x.test/some/path?q=1", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.RequestURI = "/some/path?q=1"
	for name, value := range map[string]string{
		"Cookie": "theme=dark; sandstorm-sid=" + id.Reveal(), "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)",
		"Accept": "*/*", "Accept-Language": "en-US,en;q=0.5", "Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin",
		"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Connection": "keep-alive",
	} {
		r.Header.Set(name, value)
	}
	w := &nullWriter{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		gw.ServeHTTP(w, r)
	}
}
