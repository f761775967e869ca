package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// scripted is a connection to an app that says the same whatever it is asked.
type scripted struct {
	io.Reader
	sent bytes.Buffer
}

func (c *scripted) Write(p []byte) (int, error)    { return c.sent.Write(p) }
func (*scripted) Close() error                     { return nil }
func (*scripted) LocalAddr() net.Addr              { return nil }
func (*scripted) RemoteAddr() net.Addr             { return nil }
func (*scripted) SetDeadline(time.Time) error      { return nil }
func (*scripted) SetReadDeadline(time.Time) error  { return nil }
func (*scripted) SetWriteDeadline(time.Time) error { return nil }

func scriptedApp(c *scripted) *bridge.App {
	return bridge.NewApp(bridge.AppOptions{Dial: func(context.Context) (net.Conn, error) { return c, nil }})
}

// clean reports whether a text can be written into a header.
func clean(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// leaves are the names that may leave a grain.
var leaves = " content-type content-encoding content-language content-disposition content-location location link etag " +
	"last-modified accept-ranges content-range vary cache-control expires pragma allow retry-after dav lock-token ms-author-via " +
	"x-oc-mtime x-content-type-options set-cookie "

// FuzzResponse: whatever an app sends, what leaves is well-formed and on the
// whitelist.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b; Path=/; Domain=x\r\n\r\nhi",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nhi\r\n0\r\nT: x\r\n\r\n",
		"HTTP/1.0 302 Found\nLocation: /x\n\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\nCache-Control: public, max-age=1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX-Sandstorm-App-A: \xff\r\nLocation: a\rb\r\n\r\n",
		"HTTP/1.1 101 X\r\n\r\n",
	} {
		f.Add(s, uint8(len(s)))
	}
	methods := []string{"GET", "HEAD", "POST", "OPTIONS", "PROPFIND"}
	f.Fuzz(func(t *testing.T, response string, method uint8) {
		app := scriptedApp(&scripted{Reader: strings.NewReader(response)})
		defer app.Close()
		out := &recorder{}
		req := &bridge.Request{Method: methods[int(method)%len(methods)], Target: "/", Host: ownHost}
		err := app.Serve(t.Context(), req, testSession(), out)
		var fail *bridge.Failure
		if errors.As(err, &fail) {
			if out.starts != 0 || fail.Status < 400 {
				t.Fatalf("failure %v after a response", err)
			}
			return
		}
		if out.starts != 1 || out.head.Status < 200 || out.head.Status > 599 {
			t.Fatalf("%d responses, status %d", out.starts, out.head.Status)
		}
		if err == nil && out.head.HasBody && out.head.Length >= 0 && out.head.Length != int64(out.body.Len()) {
			t.Fatalf("%d bytes of %d", out.body.Len(), out.head.Length)
		}
		if !out.head.HasBody && out.body.Len() > 0 {
			t.Fatal("a body where none may be")
		}
		for _, field := range out.head.Fields {
			name := strings.ToLower(field.Name)
			if !clean(field.Name+field.Value) || strings.ContainsAny(name, " :\t") {
				t.Fatalf("malformed field %q", field)
			}
			if !strings.Contains(leaves, " "+name+" ") && !strings.HasPrefix(name, "x-sandstorm-app-") {
				t.Fatalf("%q left", field)
			}
			if l := strings.ToLower(field.Value); name == "set-cookie" && (strings.Contains(l, "; domain") || strings.HasPrefix(l, "sandstorm-sid")) {
				t.Fatalf("cookie %q left", field.Value)
			}
		}
	})
}

// FuzzRequest: whatever a client sends, the app sees one request with one value
// of each generated field.
func FuzzRequest(f *testing.F) {
	f.Add("/x", "Cookie", "a=b; sandstorm-sid=1", "X-Sandstorm-App-A", "b")
	f.Add("/x?y", "X-Sandstorm-User-Id", "x", "Cookie", "sandstorm-sid")
	f.Add("/\r\nA: b", "If-Match", "\"a\"\r\nX: y", "Accept", "*/*")
	f.Fuzz(func(t *testing.T, target, name1, value1, name2, value2 string) {
		c := &scripted{Reader: strings.NewReader(empty)}
		app := scriptedApp(c)
		defer app.Close()
		req := get(target)
		req.Fields = []bridge.Field{{Name: name1, Value: value1}, {Name: name2, Value: value2}}
		if err := app.Serve(t.Context(), req, testSession(), &recorder{}); err != nil {
			if c.sent.Len() > 0 {
				t.Fatalf("%v after %q", err, c.sent.String())
			}
			return
		}
		sent := c.sent.String()
		head, rest, ok := strings.Cut(sent, "\r\n\r\n")
		if !ok || rest != "" {
			t.Fatalf("not one request: %q", sent)
		}
		lines := strings.Split(head, "\r\n")
		if lines[0] != "GET "+target+" HTTP/1.1" {
			t.Fatalf("request line %q", lines[0])
		}
		count := map[string]int{}
		for _, line := range lines[1:] {
			name, value, ok := strings.Cut(line, ": ")
			if !ok || !clean(line) {
				t.Fatalf("malformed line %q", line)
			}
			name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
			count[name]++
			if name == "cookie" {
				for pair := range strings.SplitSeq(value, ";") {
					if n, _, _ := strings.Cut(pair, "="); strings.EqualFold(strings.TrimSpace(n), "sandstorm-sid") {
						t.Fatalf("the secret is in %q", line)
					}
				}
			}
		}
		for _, g := range generated {
			name, _, _ := strings.Cut(g, ":")
			if !strings.Contains(head, "\r\n"+g) || count[strings.ToLower(name)] != 1 {
				t.Fatalf("%s is missing or forged in %q", name, head)
			}
		}
	})
}
