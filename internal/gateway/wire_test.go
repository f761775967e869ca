package gateway_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/gateway"
)

// raw sends bytes to the gateway on a connection of their own and returns the
// responses until it closes the connection.
func (f *fixture) raw(request string) []*http.Response {
	f.t.Helper()
	c, err := net.Dial("tcp", f.srv.Listener.Addr().String())
	if err != nil {
		f.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	request = strings.ReplaceAll(request, "HOST", f.host+"\r\nCookie: sandstorm-sid="+f.id.Reveal())
	if _, err := io.WriteString(c, request); err != nil {
		f.t.Fatal(err)
	}
	r := bufio.NewReader(c)
	var all []*http.Response
	for {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return all
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return all
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		all = append(all, resp)
		// Now the server waits for another request, or sends what it made of
		// the bytes behind the first.
		c.(*net.TCPConn).CloseWrite()
	}
}

// TestSmuggling: whatever the framing, no bytes of a body may reach the app as a
// request of their own (gateway.md §12; RFC 9112 §11.2).
func TestSmuggling(t *testing.T) {
	var smuggled atomic.Bool
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.URL.Path != "/" {
			smuggled.Store(true)
		}
	}), testOptions{})
	const hidden = "GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n"
	inner := strings.ReplaceAll(hidden, "HOST", f.host+"\r\nCookie: sandstorm-sid="+f.id.Reveal())
	for name, tt := range map[string]struct {
		request string
		status  int // of the first response; 0: any refusal
	}{
		"length and chunks": {fmt.Sprintf("POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 5+len(inner)) + hidden, 200},
		"two lengths":       {"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n" + hidden, 400},
		"list of lengths":   {"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0, 5\r\n\r\n" + hidden, 400},
		"signed length":     {"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: +0\r\n\r\n" + hidden, 400},
		"two codings":       {"POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden, 501},
		"odd coding":        {"POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden, 501},
		"coding, space":     {"POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden, 400},
		"folded":            {"POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + hidden, 0},
		"tab coding":        {"POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n" + hidden, 400},
		"bare CR":           {"POST / HTTP/1.1\r\nHost: HOST\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 400},
		"NUL":               {"POST / HTTP/1.1\r\nHost: HOST\r\nX: \x00\r\n\r\n", 400},
		"bad chunk size":    {"POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + hidden, 400},
		"negative chunk":    {"POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n" + hidden, 400},
		"chunk too short":   {"POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n" + hidden, 400},
		"two hosts":         {"GET / HTTP/1.1\r\nHost: HOST\r\nHost: other\r\n\r\n", 400},
		"no host":           {"GET / HTTP/1.1\r\n\r\n", 400},
		"space in target":   {"GET / /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n", 400},
		"bad version":       {"GET / HTTP/1.9\r\nHost: HOST\r\n\r\n", 0},
		"body of a GET":     {fmt.Sprintf("GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", len(inner)) + hidden, 200},
		"body of a DELETE":  {fmt.Sprintf("DELETE / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", len(inner)) + hidden, 200},
	} {
		all := f.raw(tt.request)
		if len(all) == 0 {
			if tt.status != 0 {
				t.Errorf("%s: no response", name)
			}
			continue
		}
		if tt.status != 0 && all[0].StatusCode != tt.status {
			t.Errorf("%s: %s, want %d", name, all[0].Status, tt.status)
		}
		if len(all) > 1 {
			t.Errorf("%s: %d responses", name, len(all))
		}
		if smuggled.Swap(false) {
			t.Errorf("%s: the app saw a smuggled request", name)
		}
	}
}

func TestAbsoluteTarget(t *testing.T) {
	f := newFixture(t, hello, testOptions{})
	all := f.raw("GET http://" + f.host + "/a%2fb?c HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
	if len(all) != 1 || !strings.Contains(text(t, all[0]), "app saw GET /a%2fb?c ") {
		t.Error(all)
	}
}

func TestOversizedHead(t *testing.T) {
	f := newFixture(t, hello, testOptions{})
	srv := newTestServer(t, f)
	for _, extra := range []string{"X: " + strings.Repeat("a", 80<<10), strings.Repeat("X: y\r\n", 20000) + "Z: z"} {
		c := srv.dial()
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n", f.host, extra)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil && resp.StatusCode != 431 {
			t.Error(resp.Status)
		}
		if err == nil {
			resp.Body.Close()
		}
	}
}

// TestLargeBodies: both directions, plain, TLS and HTTP/2, with and without
// length.
func TestLargeBodies(t *testing.T) {
	data := make([]byte, 12<<20+123)
	rand.Read(data)
	sum := fmt.Sprintf("%x", sha256.Sum256(data))
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "PUT" {
			h := sha256.New()
			_, err := io.Copy(h, r.Body)
			fmt.Fprintf(w, "%x %v %d", h.Sum(nil), err, r.ContentLength)
			return
		}
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		}
		w.Write(data[:100])
		w.(http.Flusher).Flush()
		w.Write(data[100:])
	})
	for _, tls := range []bool{false, true} {
		f := newFixture(t, app, testOptions{tls: tls})
		for _, path := range []string{"/length", "/chunks"} {
			resp := f.do(f.request("GET", path, ""))
			h := sha256.New()
			n, err := io.Copy(h, resp.Body)
			if err != nil || fmt.Sprintf("%x", h.Sum(nil)) != sum {
				t.Errorf("tls %v: %s: %d bytes, %v", tls, path, n, err)
			}
		}
		for _, length := range []int64{int64(len(data)), -1} {
			r := f.request("PUT", "/", "")
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), length
			if got := text(t, f.do(r)); got != fmt.Sprintf("%s <nil> %d", sum, length) {
				t.Errorf("tls %v, length %d: %s", tls, length, got)
			}
		}
	}
}

// TestTruncatedResponse: half a body must not look like a whole one.
func TestTruncatedResponse(t *testing.T) {
	for _, head := range []string{"Content-Length: 300000", "Transfer-Encoding: chunked\r\n\r\nfffff", "Content-Length: 20"} {
		for _, tls := range []bool{false, true} {
			f := newFixtureAt(t, brokenApp(t, "HTTP/1.1 200 OK\r\n"+head+"\r\n\r\n"+strings.Repeat("x", 10)), testOptions{tls: tls})
			resp, err := f.client.Do(f.request("GET", "/", ""))
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if err == nil {
				t.Errorf("tls %v, %q: the body looks whole", tls, head)
			}
		}
	}
}

// brokenApp answers with these bytes and closes the connection.
func brokenApp(t *testing.T, response string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, response)
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestHostileAppIsAnError(t *testing.T) {
	f := newFixtureAt(t, brokenApp(t, "HTTP/1.1 200 OK\r\nLocation: a\rSet-Cookie: b=c\r\n\r\n"), testOptions{})
	resp := f.do(f.request("GET", "/", ""))
	if resp.StatusCode != 502 || resp.Header.Get("Set-Cookie") != "" || !strings.Contains(text(t, resp), "makes no sense") {
		t.Error(resp.Status, resp.Header)
	}
}

// TestServerSentEvents arrive when they are sent, on HTTP/1.1 and HTTP/2.
func TestServerSentEvents(t *testing.T) {
	for _, tls := range []bool{false, true} {
		next := make(chan struct{})
		f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			for i := range 3 {
				<-next
				fmt.Fprintf(w, "data: %d\n\n", i)
				w.(http.Flusher).Flush()
			}
		}), testOptions{tls: tls})
		resp := f.do(f.request("GET", "/", ""))
		r := bufio.NewReader(resp.Body)
		for i := range 3 {
			next <- struct{}{}
			line, err := r.ReadString('\n')
			r.ReadString('\n')
			if err != nil || line != fmt.Sprintf("data: %d\n", i) {
				t.Error(line, err)
			}
		}
	}
}

// TestEarlyAnswer: the app refuses a body that the client has not
// finished; the connection is not used for another request.
func TestEarlyAnswer(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(413)
	}), testOptions{})
	c, err := net.Dial("tcp", f.srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "PUT / HTTP/1.1\r\nHost: %s\r\nCookie: sandstorm-sid=%s\r\nContent-Length: 10000000\r\n\r\n", f.host, f.id.Reveal())
	c.Write(make([]byte, 100000))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 413 || !resp.Close {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
}

func TestExpectContinue(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, r.Header.Get("Expect"))
	}), testOptions{})
	for _, size := range []int{5, 100000} {
		c, err := net.Dial("tcp", f.srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "PUT / HTTP/1.1\r\nHost: %s\r\nCookie: sandstorm-sid=%s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", f.host, f.id.Reveal(), size)
		r := bufio.NewReader(c)
		if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
			t.Fatal(line, err)
		}
		r.ReadString('\n')
		c.Write(make([]byte, size))
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, resp); got != fmt.Sprint(size) {
			t.Errorf("size %d: %q", size, got)
		}
	}
}

// TestSlowHead: a client that sends its head byte by byte is cut.
func TestSlowHead(t *testing.T) {
	f := newFixture(t, hello, testOptions{})
	srv := gateway.NewServer(f.gw)
	srv.Hurry(100 * time.Millisecond)
	s := serveOn(t, srv, gateway.Listener{})
	for _, begin := range []string{"", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "} {
		c := s.dial()
		io.WriteString(c, begin)
		stop := make(chan struct{})
		go func() {
			for begin != "" {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
					if _, err := io.WriteString(c, "x"); err != nil {
						return
					}
				}
			}
		}()
		// Whatever it says, it closes the connection well before the deadline
		// of dial.
		if _, err := io.ReadAll(c); isTimeout(err) {
			t.Errorf("after %q: still open", begin)
		}
		close(stop)
	}
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// TestBodilessResponses, as they go over the wire.
func TestBodilessResponses(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(204)
		case "/205":
			w.WriteHeader(205)
		case "/304":
			w.Header().Set("ETag", `"x"`)
			w.WriteHeader(304)
		case "/500":
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(500)
			io.WriteString(w, `{"error":1}`)
		default:
			w.Header().Set("Content-Length", "123456")
			w.Write(make([]byte, 123456))
		}
	})
	for _, tls := range []bool{false, true} {
		f := newFixture(t, app, testOptions{tls: tls})
		for _, tt := range []struct {
			method, path string
			status       int
			length       string
			body         string
		}{
			{"HEAD", "/", 200, "123456", ""},
			{"GET", "/204", 204, "", ""},
			{"GET", "/205", 205, "0", ""},
			{"GET", "/304", 304, "", ""},
			{"GET", "/500", 500, "11", `{"error":1}`},
			{"HEAD", "/500", 500, "11", ""},
		} {
			resp := f.do(f.request(tt.method, tt.path, ""))
			body := text(t, resp)
			if resp.StatusCode != tt.status || resp.Header.Get("Content-Length") != tt.length || body != tt.body || len(resp.TransferEncoding) > 0 {
				t.Errorf("%s %s: %s %v %q", tt.method, tt.path, resp.Status, resp.Header, body)
			}
			if tt.status == 500 && resp.Header.Get("Content-Type") != "application/json" {
				t.Errorf("error body of type %q", resp.Header.Get("Content-Type"))
			}
		}
	}
}

// TestOldClient: HTTP/1.0 gets no chunks.
func TestOldClient(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		io.WriteString(w, "stream")
	}), testOptions{})
	all := f.raw("GET / HTTP/1.0\r\nHost: HOST\r\n\r\n")
	if len(all) != 1 || text(t, all[0]) != "stream" || len(all[0].TransferEncoding) != 0 {
		t.Error(all)
	}
}
