package bridge_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

const empty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// counting is an app that says in a field on which of its connections a request
// came.
func counting(t *testing.T, response string) *bridge.App {
	return rawApp(t, func(c net.Conn, n int) {
		r := bufio.NewReader(c)
		for {
			if _, err := readHead(r); err != nil {
				return
			}
			fmt.Fprintf(c, response, n)
		}
	})
}

func TestConnectionsAreKept(t *testing.T) {
	for _, tt := range []struct {
		name, response string
		kept           bool
	}{
		{"1.1", "HTTP/1.1 200 OK\r\nX-Sandstorm-App-N: %d\r\nContent-Length: 2\r\n\r\nhi", true},
		{"chunked", "HTTP/1.1 200 OK\r\nX-Sandstorm-App-N: %d\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", true},
		{"304", "HTTP/1.1 304 Same\r\nX-Sandstorm-App-N: %d\r\nContent-Length: 20\r\n\r\n", true},
		{"close", "HTTP/1.1 200 OK\r\nX-Sandstorm-App-N: %d\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nhi", false},
		{"1.0", "HTTP/1.0 200 OK\r\nX-Sandstorm-App-N: %d\r\nContent-Length: 2\r\n\r\nhi", false},
		{"1.0 kept", "HTTP/1.0 200 OK\r\nX-Sandstorm-App-N: %d\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi", true},
		{"too much", "HTTP/1.1 200 OK\r\nX-Sandstorm-App-N: %d\r\nContent-Length: 2\r\n\r\nhi!", false},
		{"body of 204", "HTTP/1.1 204 No\r\nX-Sandstorm-App-N: %d\r\nContent-Length: 2\r\n\r\n", false},
	} {
		app := counting(t, tt.response)
		for i := range 3 {
			out := &recorder{}
			err := app.Serve(t.Context(), get("/"), testSession(), out)
			want := "0"
			if !tt.kept {
				want = fmt.Sprint(i)
			}
			if err != nil || out.get("X-Sandstorm-App-N")[0] != want {
				t.Errorf("%s, request %d: connection %v, want %s (%v)", tt.name, i, out.head.Fields, want, err)
			}
		}
	}
}

// TestStaleConnections: an app that closes kept connections without a word. No
// request may fail for that, and none may be done twice.
func TestStaleConnections(t *testing.T) {
	var closed sync.WaitGroup
	var seen atomic.Int32
	app := rawApp(t, func(c net.Conn, _ int) {
		if _, err := readHead(bufio.NewReader(c)); err != nil {
			return
		}
		seen.Add(1)
		io.WriteString(c, empty)
		c.Close()
		closed.Done()
	})
	for i, method := range []string{"GET", "GET", "POST", "DELETE", "PROPFIND", "GET"} {
		closed.Add(1)
		req := &bridge.Request{Method: method, Target: "/", Host: ownHost}
		if err := app.Serve(t.Context(), req, testSession(), &recorder{}); err != nil {
			t.Errorf("%d %s: %v", i, method, err)
		}
		closed.Wait()
	}
	if seen.Load() != 6 {
		t.Errorf("the app saw %d requests", seen.Load())
	}
}

// TestUnaskedBytes: what a kept connection sends between requests is no answer
// to the next one.
func TestUnaskedBytes(t *testing.T) {
	send, sent := make(chan struct{}), make(chan struct{})
	app := rawApp(t, func(c net.Conn, n int) {
		r := bufio.NewReader(c)
		for {
			if _, err := readHead(r); err != nil {
				return
			}
			io.WriteString(c, empty)
			if n == 0 {
				<-send
				io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Sandstorm-App-Forged: yes\r\nContent-Length: 0\r\n\r\n")
				sent <- struct{}{}
				return
			}
		}
	})
	if err := app.Serve(t.Context(), get("/"), testSession(), &recorder{}); err != nil {
		t.Fatal(err)
	}
	send <- struct{}{}
	<-sent
	out := &recorder{}
	req := &bridge.Request{Method: "POST", Target: "/", Host: ownHost}
	if err := app.Serve(t.Context(), req, testSession(), out); err != nil || len(out.get("X-Sandstorm-App-Forged")) != 0 {
		t.Errorf("%+v %v", out.head, err)
	}
}

// TestSingleThreadedApp: a server that serves one kept-alive connection at a
// time until that is closed, as simple ones do, must not starve the others.
func TestSingleThreadedApp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(c)
			for {
				if _, err := readHead(r); err != nil {
					break
				}
				io.WriteString(c, empty)
			}
			c.Close()
		}
	})
	app := bridge.NewApp(bridge.AppOptions{Dial: dialer(l.Addr())})
	start := time.Now()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				if err := app.Serve(t.Context(), get("/"), testSession(), &recorder{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("80 requests took %v", took)
	}
	app.Close()
	l.Close()
	served.Wait()
}

// TestLongPollKeepsConnections: a poll that waits must not cost the others
// their connections.
func TestLongPollKeepsConnections(t *testing.T) {
	polled, finish := make(chan struct{}), make(chan struct{})
	app := rawApp(t, func(c net.Conn, n int) {
		r := bufio.NewReader(c)
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			if strings.HasPrefix(head, "GET /poll") {
				close(polled)
				<-finish
			}
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX-Sandstorm-App-N: %d\r\nContent-Length: 0\r\n\r\n", n)
		}
	})
	done := make(chan error, 1)
	go func() { done <- app.Serve(t.Context(), get("/poll"), testSession(), &recorder{}) }()
	<-polled
	// Well beyond the time after which the poll counts as slow.
	last := ""
	for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
		out := &recorder{}
		if err := app.Serve(t.Context(), get("/"), testSession(), out); err != nil {
			t.Fatal(err)
		}
		last = out.get("X-Sandstorm-App-N")[0]
	}
	if last != "1" && last != "2" {
		t.Errorf("at the end on connection %s: connections were thrown away", last)
	}
	close(finish)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
