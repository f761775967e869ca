package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// socketApp echoes messages and tells what it saw of the handshake.
func socketApp(seen chan<- http.Header) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if seen != nil {
			seen <- r.Header.Clone()
		}
		if r.URL.Path == "/refused" {
			http.Error(w, "not for you", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Set-Cookie", "sandstorm-sid=x")
		w.Header().Set("X-App", "x")
		// The gateway has checked the Origin and does not pass it on.
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"b"}, CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(8 << 20)
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil {
				return
			}
			if err := c.Write(r.Context(), kind, b); err != nil {
				return
			}
		}
	})
}

func (f *fixture) socket(path string, protocols ...string) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	f.t.Cleanup(cancel)
	// HTTP/1.1 only, as browsers do.
	tr := f.client.Transport.(*http.Transport).Clone()
	tr.ForceAttemptHTTP2 = false
	tr.TLSClientConfig.NextProtos = nil
	origin := f.gw.Hosts().SessionOrigin(f.id.HostID())
	return websocket.Dial(ctx, origin+path, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: tr}, Subprotocols: protocols, CompressionMode: websocket.CompressionContextTakeover,
		HTTPHeader: http.Header{
			"Cookie": {"sandstorm-sid=" + f.id.Reveal() + "; a=b"}, "Origin": {origin},
			"X-Sandstorm-User-Id": {"forged"}, "X-Sandstorm-App-Z": {"z"},
		},
	})
}

func TestWebSocket(t *testing.T) {
	for _, tls := range []bool{false, true} {
		seen := make(chan http.Header, 1)
		f := newFixture(t, socketApp(seen), testOptions{tls: tls})
		c, resp, err := f.socket("/x?y", "a", "b")
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		c.SetReadLimit(8 << 20)
		h := <-seen
		for name, want := range map[string]string{
			"Sec-Websocket-Version": "13", "Sec-Websocket-Protocol": "a,b", "Sec-Websocket-Extensions": "", "Cookie": "a=b",
			"X-Sandstorm-User-Id": f.session.UserID, "X-Sandstorm-App-Z": "z", "Accept-Language": "", "Origin": "",
			"Sec-Websocket-Key": "mj9i153gxeYNlGDoKdoXOQ==",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("the app saw %s %q, want %q", name, got, want)
			}
		}
		if c.Subprotocol() != "b" || resp.Header.Get("X-App") != "" || resp.Header.Get("Set-Cookie") != "" ||
			resp.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%q %v", c.Subprotocol(), resp.Header)
		}
		for _, size := range []int{1, 200, 70000, 3 << 20} {
			b := bytes.Repeat([]byte{byte(size)}, size)
			if err := c.Write(t.Context(), websocket.MessageBinary, b); err != nil {
				t.Fatal(err)
			}
			if _, got, err := c.Read(t.Context()); err != nil || !bytes.Equal(got, b) {
				t.Fatalf("size %d: %d bytes, %v", size, len(got), err)
			}
		}
		if f.app.InFlight() != 1 {
			t.Errorf("%d in flight", f.app.InFlight())
		}
		if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
			t.Error(err)
		}
	}
}

func TestRefusedWebSocket(t *testing.T) {
	f := newFixture(t, socketApp(nil), testOptions{})
	_, resp, err := f.socket("/refused")
	if err == nil || resp.StatusCode != 401 {
		t.Fatal(err, resp)
	}
	if b, _ := io.ReadAll(resp.Body); !strings.Contains(string(b), "not for you") {
		t.Errorf("%q", b)
	}
}

// TestWebSocketCut: the end of the session, of the grain or of the server ends
// the socket on both sides.
func TestWebSocketCut(t *testing.T) {
	for _, who := range []string{"session", "app", "client", "server"} {
		f := newFixture(t, socketApp(nil), testOptions{})
		s := newTestServer(t, f)
		f.srv.Listener.Close() // the fixture's client dials the test server below
		f.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", s.addr)
		}
		c, _, err := f.socket("/")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Write(t.Context(), websocket.MessageText, []byte("x")); err != nil {
			t.Fatal(err)
		}
		c.Read(t.Context())
		switch who {
		case "session":
			f.session.Close()
		case "app":
			f.app.Close()
		case "client":
			c.CloseNow()
		case "server":
			s.srv.Shutdown(t.Context())
		}
		if _, _, err := c.Read(t.Context()); err == nil {
			t.Errorf("%s: the socket is still open", who)
		}
		c.CloseNow()
		for end := time.Now().Add(15 * time.Second); f.app.InFlight() != 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: the app's side is still open", who)
			}
		}
	}
}

// TestEarlyFrames: bytes that come right behind either handshake are not lost.
func TestEarlyFrames(t *testing.T) {
	f := newFixtureAt(t, func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: unasked\r\n\r\nearly")
			b := make([]byte, 5)
			io.ReadFull(r, b)
			c.Write(b)
		}()
		return l.Addr().String()
	}(), testOptions{})
	c, err := net.Dial("tcp", f.srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nCookie: sandstorm-sid=%s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nfirst", f.host, f.id.Reveal())
	all, err := io.ReadAll(c)
	head, tail, _ := strings.Cut(string(all), "\r\n\r\n")
	if err != nil || tail != "earlyfirst" || !strings.Contains(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") ||
		strings.Contains(head, "unasked") {
		t.Errorf("%q %v", all, err)
	}
}

func TestBadHandshakes(t *testing.T) {
	f := newFixture(t, socketApp(nil), testOptions{})
	for _, tt := range []struct {
		version, key string
		status       int
	}{
		{"8", "dGhlIHNhbXBsZSBub25jZQ==", 426},
		{"", "dGhlIHNhbXBsZSBub25jZQ==", 426},
		{"13", "", 400},
		{"13", "short", 400},
		{"13", "dGhlIHNhbXBsZSBub25jZQ", 400},
	} {
		r := f.request("GET", "/", "")
		for k, v := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": tt.version, "Sec-WebSocket-Key": tt.key,
		} {
			r.Header.Set(k, v)
		}
		resp := f.do(r)
		if resp.StatusCode != tt.status || tt.status == 426 && resp.Header.Get("Sec-WebSocket-Version") != "13" {
			t.Errorf("%+v: %s %v", tt, resp.Status, resp.Header)
		}
	}
}
