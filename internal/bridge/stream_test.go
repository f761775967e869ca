package bridge_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// once is an app that answers the first request of each connection with these
// bytes, then closes it.
func once(t *testing.T, response string) *bridge.App {
	return rawApp(t, func(c net.Conn, _ int) {
		if _, err := readHead(bufio.NewReader(c)); err == nil {
			io.WriteString(c, response)
		}
	})
}

func TestTruncatedBodiesAbort(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, response := range map[string]string{
		"length":             "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
		"large length":       "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 50000),
		"no chunk":           chunked,
		"inside a chunk":     chunked + "5\r\nabc",
		"no last chunk":      chunked + "3\r\nabc\r\n",
		"no final line":      chunked + "3\r\nabc\r\n0\r\n",
		"bad size":           chunked + "zz\r\nabc\r\n0\r\n\r\n",
		"empty size":         chunked + "\r\nabc\r\n0\r\n\r\n",
		"negative size":      chunked + "-3\r\nabc\r\n0\r\n\r\n",
		"huge size":          chunked + "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
		"no line behind":     chunked + "3\r\nabcX\r\n0\r\n\r\n",
		"endless size line":  chunked + "3;" + strings.Repeat("x", 9000) + "\r\nabc\r\n0\r\n\r\n",
		"endless trailer":    chunked + "0\r\n" + strings.Repeat("x: y\r\n", 9000) + "\r\n",
		"endless in trailer": chunked + "0\r\n" + strings.Repeat("x", 90000) + "\r\n\r\n",
	} {
		out := &recorder{}
		err := once(t, response).Serve(t.Context(), get("/"), testSession(), out)
		if !errors.Is(err, bridge.ErrAborted) || out.starts != 1 {
			t.Errorf("%s: %v after %q", name, err, out.body.String())
		}
	}
}

func TestBodyUntilClose(t *testing.T) {
	for _, version := range []string{"1.0", "1.1"} {
		out := &recorder{}
		err := once(t, "HTTP/"+version+" 200 OK\r\n\r\n"+strings.Repeat("x", 100000)).Serve(t.Context(), get("/"), testSession(), out)
		if err != nil || out.body.Len() != 100000 || out.head.Length != -1 {
			t.Errorf("%s: %v, %d bytes", version, err, out.body.Len())
		}
	}
}

func TestNoAnswer(t *testing.T) {
	for _, response := range []string{"", "HTTP/1.1 200 OK\r\nA: b"} {
		err := once(t, response).Serve(t.Context(), get("/"), testSession(), &recorder{})
		if f := failure(t, err); f.Status != 502 || f.Unsent {
			t.Errorf("%q: %+v", response, f)
		}
	}
}

// TestEventsArriveAtOnce: what an app sends must not wait for more.
func TestEventsArriveAtOnce(t *testing.T) {
	for _, framing := range []string{"chunked", "length", "close"} {
		next := make(chan struct{})
		app := rawApp(t, func(c net.Conn, _ int) {
			readHead(bufio.NewReader(c))
			head := map[string]string{"chunked": "Transfer-Encoding: chunked\r\n", "length": "Content-Length: 10\r\n"}[framing]
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%s\r\n", head)
			for i := range 5 {
				if framing == "chunked" {
					fmt.Fprintf(c, "2\r\ne%d\r\n", i)
				} else {
					fmt.Fprintf(c, "e%d", i)
				}
				<-next
			}
			if framing == "chunked" {
				io.WriteString(c, "0\r\n\r\n")
			}
		})
		out := &recorder{flushed: make(chan string, 1)}
		done := make(chan error, 1)
		go func() { done <- app.Serve(t.Context(), get("/"), testSession(), out) }()
		for i := range 5 {
			want := fmt.Sprintf("e%d", i)
			if framing == "length" && i == 4 {
				next <- struct{}{} // the end is sent by whoever ends the response
				continue
			}
			if got := <-out.flushed; got != want {
				t.Errorf("%s: got %q, want %q", framing, got, want)
			}
			next <- struct{}{}
		}
		if err := <-done; err != nil {
			t.Error(framing, err)
		}
	}
}

// TestFullDuplex: the app answers each piece of the body while the next one was
// not sent yet.
func TestFullDuplex(t *testing.T) {
	for _, length := range []int64{-1, 70000 * 3} {
		app := rawApp(t, func(c net.Conn, _ int) {
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil || r.ContentLength != length {
				t.Errorf("length %d, %v", r.ContentLength, err)
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
			io.Copy(c, r.Body)
		})
		pr, pw := io.Pipe()
		out := &recorder{flushed: make(chan string, 100)}
		done := make(chan error, 1)
		req := &bridge.Request{Method: "POST", Target: "/", Host: ownHost, Body: newBody(pr), Length: length}
		go func() { done <- app.Serve(t.Context(), req, testSession(), out) }()
		for range 3 {
			pw.Write(bytes.Repeat([]byte("x"), 70000))
			for got := 0; got < 70000; {
				got += len(<-out.flushed)
			}
		}
		pw.Close()
		if err := <-done; err != nil || out.body.Len() != 210000 {
			t.Errorf("length %d: %v, %d bytes", length, err, out.body.Len())
		}
	}
}

func TestLargeUploadIntegrity(t *testing.T) {
	data := make([]byte, 5<<20)
	rand.Read(data)
	for _, length := range []int64{-1, int64(len(data))} {
		var got []byte
		app := rawApp(t, func(c net.Conn, _ int) {
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err == nil {
				got, err = io.ReadAll(r.Body)
			}
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Sandstorm-App-Err: %v\r\n\r\n", err)
		})
		req := &bridge.Request{Method: "PUT", Target: "/", Host: ownHost, Body: newBody(bytes.NewReader(data)), Length: length}
		out := &recorder{}
		err := app.Serve(t.Context(), req, testSession(), out)
		if err != nil || out.get("X-Sandstorm-App-Err")[0] != "<nil>" || !bytes.Equal(got, data) {
			t.Errorf("length %d: %v %v, %d bytes", length, err, out.head, len(got))
		}
		if out.head.Closing {
			t.Error("an upload that ended must not cost the client's connection")
		}
	}
}

// TestBrokenUpload: an app must not take half a body for a whole one.
func TestBrokenUpload(t *testing.T) {
	for _, length := range []int64{-1, 1 << 20} {
		seen := make(chan error, 1)
		app := rawApp(t, func(c net.Conn, _ int) {
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err == nil {
				_, err = io.ReadAll(r.Body)
			}
			seen <- err
		})
		pr, pw := io.Pipe()
		go func() {
			pw.Write(make([]byte, 100000))
			pw.CloseWithError(io.ErrUnexpectedEOF)
		}()
		req := &bridge.Request{Method: "PUT", Target: "/", Host: ownHost, Body: newBody(pr), Length: length}
		err := app.Serve(t.Context(), req, testSession(), &recorder{})
		if f := failure(t, err); f.Status != 400 || f.Unsent {
			t.Errorf("length %d: %+v", length, f)
		}
		if err := <-seen; err == nil {
			t.Errorf("length %d: the app saw a whole body", length)
		}
	}
}

// TestMoreThanAnnounced: a body longer than its length must not become a
// request of its own.
func TestMoreThanAnnounced(t *testing.T) {
	app := rawApp(t, func(c net.Conn, _ int) { io.Copy(io.Discard, c) })
	req := &bridge.Request{
		Method: "PUT", Target: "/", Host: ownHost, Length: 100000,
		Body: newBody(strings.NewReader(strings.Repeat("x", 100001))),
	}
	if f := failure(t, app.Serve(t.Context(), req, testSession(), &recorder{})); f.Status != 400 {
		t.Errorf("%+v", f)
	}
}

// TestEarlyResponse: the response comes while the client still sends, and the
// client is told that its connection ends.
func TestEarlyResponse(t *testing.T) {
	app := rawApp(t, func(c net.Conn, _ int) {
		readHead(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
		io.Copy(io.Discard, c)
	})
	pr, pw := io.Pipe()
	defer pw.Close()
	b := newBody(pr)
	req := &bridge.Request{Method: "PUT", Target: "/", Host: ownHost, Body: b, Length: 1 << 30}
	out := &recorder{}
	if err := app.Serve(t.Context(), req, testSession(), out); err != nil || out.head.Status != 413 || !out.head.Closing {
		t.Errorf("%v %+v", err, out.head)
	}
	select {
	case <-b.stopped:
	default:
		t.Error("the body is still being read")
	}
}

// hanging is an app that begins a response and then says nothing more; gone is
// closed when its connection was cut.
func hanging(t *testing.T, begin string) (app *bridge.App, asked, gone chan struct{}) {
	asked, gone = make(chan struct{}), make(chan struct{})
	return rawApp(t, func(c net.Conn, _ int) {
		readHead(bufio.NewReader(c))
		io.WriteString(c, begin)
		close(asked)
		io.Copy(io.Discard, c)
		close(gone)
	}), asked, gone
}

func TestCuts(t *testing.T) {
	for _, begin := range []string{"", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "HTTP/1.1 200 OK\r\n\r\nx"} {
		for _, who := range []string{"client", "session", "app"} {
			app, asked, gone := hanging(t, begin)
			s := testSession()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out := &recorder{flushed: make(chan string, 1)}
			done := make(chan error, 1)
			go func() { done <- app.Serve(ctx, get("/"), s, out) }()
			<-asked
			if begin != "" {
				<-out.flushed
			}
			if n := app.InFlight(); n != 1 {
				t.Errorf("%d in flight", n)
			}
			switch who {
			case "client":
				cancel()
			case "session":
				s.Close()
			case "app":
				app.Close()
			}
			err := <-done
			<-gone
			if aborted := errors.Is(err, bridge.ErrAborted); err == nil || aborted != (begin != "") {
				t.Errorf("%s cut after %q: %v", who, begin, err)
			}
			if who == "session" {
				if f := failure(t, app.Serve(ctx, get("/"), s, out)); f.Status != 403 {
					t.Errorf("closed session: %+v", f)
				}
			}
			if n := app.InFlight(); n != 0 {
				t.Errorf("%d in flight", n)
			}
		}
	}
}

func TestClientThatDoesNotRead(t *testing.T) {
	app, _, gone := hanging(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
	out := &recorder{fail: errors.New("gone")}
	if err := app.Serve(t.Context(), get("/"), testSession(), out); !errors.Is(err, bridge.ErrAborted) {
		t.Error(err)
	}
	<-gone
}

func TestLastUse(t *testing.T) {
	app := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	before := time.Now()
	if err := app.Serve(t.Context(), get("/"), testSession(), &recorder{}); err != nil {
		t.Fatal(err)
	}
	if app.LastUse().Before(before) || app.InFlight() != 0 {
		t.Errorf("last use %v, now %v", app.LastUse(), before)
	}
}
