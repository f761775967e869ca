package bridge_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// seenBy returns head and body of a request as an app sees them, or the error
// that the client gets.
func seenBy(t *testing.T, s *bridge.Session, req *bridge.Request) (head, body string, err error) {
	t.Helper()
	type seen struct{ head, body string }
	got := make(chan seen, 1)
	app := rawApp(t, func(c net.Conn, _ int) {
		r := bufio.NewReader(c)
		head, err := readHead(r)
		if err != nil {
			return
		}
		n := 0
		for line := range strings.Lines(head) {
			fmt.Sscanf(line, "Content-Length: %d", &n)
		}
		body := make([]byte, n)
		io.ReadFull(r, body)
		got <- seen{head, string(body)}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	if err := app.Serve(t.Context(), req, s, &recorder{}); err != nil {
		return "", "", err
	}
	g := <-got
	return g.head, g.body, nil
}

// fieldLines are the lines of a head without the first and the empty one.
func fieldLines(head string) []string {
	lines := strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n")[1:]
	slices.Sort(lines)
	return lines
}

var generated = []string{
	"Host: " + ownHost,
	"X-Forwarded-Proto: https",
	"X-Sandstorm-Base-Path: https://" + ownHost,
	"X-Sandstorm-Permissions: read,write",
	"X-Sandstorm-Session-Id: 7",
	"X-Sandstorm-Session-Type: normal",
	"X-Sandstorm-Tab-Id: " + strings.Repeat("1b", 16),
	"X-Sandstorm-User-Id: " + strings.Repeat("0a", 16),
	"X-Sandstorm-Username: Ann%20%C3%96l",
}

func TestRequestFields(t *testing.T) {
	defaults := []string{"Accept: */*", "Accept-Language: en-US,en", "User-Agent: UnknownAgent/0.0"}
	tests := []struct {
		name string
		in   []bridge.Field
		want []string // besides the generated ones
	}{
		{"nothing", nil, defaults},
		{"everyday", []bridge.Field{
			{"Accept", "text/html;q=0.5, */*"}, {"accept-language", "fi"}, {"USER-AGENT", "B/1"}, {"Accept-Encoding", "br"},
		}, []string{"Accept: text/html;q=0.5, */*", "Accept-Language: fi", "User-Agent: B/1", "Accept-Encoding: br"}},
		{"forged", []bridge.Field{
			{"X-Sandstorm-User-Id", "root"},
			{"x-sandstorm-permissions", "admin"},
			{"X_Sandstorm_User_Id", "root"},
			{"X-Sandstorm_User-Id", "root"},
			{"X-Sandstorm-App", "no"},
			{"X-Sandstorm-App-", "no"},
			{"X-Forwarded-For", "1.2.3.4"},
			{"X-Forwarded-Proto", "ftp"},
			{"X-Real-IP", "1.2.3.4"},
			{"Host", "other"},
			{"Content-Length", "10"},
			{"Transfer-Encoding", "chunked"},
			{"Connection", "X-Sandstorm-User-Id"},
			{"Authorization", "Basic x"},
			{"Proxy-Authorization", "Basic x"},
			{"Origin", "https://x"},
			{"Referer", "https://x"},
			{"Sec-Fetch-Site", "none"},
			{"Cache-Control", "no-cache"},
			{"Expect", "100-continue"},
			{"TE", "trailers"},
			{"Forwarded", "for=1.2.3.4"},
			{"Via", "1.1 x"},
			{"X-Sandstorm-Passthrough", "address"},
		}, defaults},
		{"whitelist", []bridge.Field{
			{"x-sandstorm-app-a", "1"},
			{"X-Hgarg-1", "2"},
			{"X-Phabricator-Csrf", "3"},
			{"x-requested-with", "4"},
			{"X-CSRFToken", "5"},
			{"x-csrf-token", "6"},
			{"x-oc-mtime", "7"},
			{"oc-chunked", "8"},
		}, append([]string{
			"x-sandstorm-app-a: 1", "X-Hgarg-1: 2", "X-Phabricator-Csrf: 3", "X-Requested-With: 4",
			"X-CSRFToken: 5", "X-CSRF-Token: 6", "X-OC-Mtime: 7", "OC-Chunked: 8",
		}, defaults...)},
		{"conditions", []bridge.Field{
			{"If-Match", `"a"`},
			{"If-None-Match", `W/"b"`},
			{"Range", "bytes=0-1"},
			{"Range", "bytes=2-3"},
			{"If-Range", `"c"`},
			{"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"},
		}, append([]string{
			`If-Match: "a"`, `If-None-Match: W/"b"`, "Range: bytes=0-1", `If-Range: "c"`,
			"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
		}, defaults...)},
		{"cookies", []bridge.Field{
			{"Cookie", "a=1; sandstorm-sid=00;b=2;;  sandstorm-sid=11 ; Sandstorm-Sid=x; sandstorm-sid"},
			{"cookie", "c=sandstorm-sid=3; sandstorm-sid =4"},
		}, append([]string{"Cookie: a=1; b=2; c=sandstorm-sid=3"}, defaults...)},
		{"only the secret", []bridge.Field{{"Cookie", "sandstorm-sid=00"}}, defaults},
		{"DAV fields are for DAV", []bridge.Field{
			{"Destination", "/x"}, {"Depth", "1"}, {"Overwrite", "F"}, {"If", "(<x>)"}, {"Lock-Token", "<x>"}, {"Content-Type", "a/b"},
		}, defaults},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := get("/p%2fq?a=%20&b")
			req.Fields = tt.in
			head, _, err := seenBy(t, testSession(), req)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(head, "GET /p%2fq?a=%20&b HTTP/1.1\r\n") {
				t.Errorf("request line of %q", head)
			}
			want := append(slices.Clone(generated), tt.want...)
			slices.Sort(want)
			if got := fieldLines(head); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestSessionFields(t *testing.T) {
	s := &bridge.Session{
		UserID: "0a", Username: "a&b/ü'", Handle: "ann", Picture: "https://static.x/y", Pronouns: "robot",
		Type: "request", BasePath: "http://h:6080",
	}
	head, _, err := seenBy(t, s, get("/"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"Host: h:6080", "X-Forwarded-Proto: http", "X-Sandstorm-Username: a%26b%2F%C3%BC'",
		"X-Sandstorm-Preferred-Handle: ann", "X-Sandstorm-User-Picture: https://static.x/y",
		"X-Sandstorm-User-Pronouns: robot", "X-Sandstorm-Permissions: ", "X-Sandstorm-Session-Type: request",
	} {
		if !strings.Contains(head, "\r\n"+line+"\r\n") {
			t.Errorf("no %q in %s", line, head)
		}
	}
	head, _, err = seenBy(t, &bridge.Session{Handle: "x", Picture: "x", Pronouns: "x", BasePath: "http://h"}, get("/"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(head, "X-Sandstorm-Username: Anonymous%20User\r\n") ||
		strings.Contains(head, "User-Id") || strings.Contains(head, "Handle") || strings.Contains(head, "Picture") {
		t.Errorf("anonymous: %s", head)
	}
	bad := testSession()
	bad.Handle = "a\r\nX-Sandstorm-Permissions: admin"
	if _, _, err := seenBy(t, bad, get("/")); failure(t, err).Status != 500 {
		t.Errorf("a line break in a session's field: %v", err)
	}
}

func TestAPISession(t *testing.T) {
	req := get("/x?y")
	req.Fields = []bridge.Field{{"Cookie", "a=b"}, {"User-Agent", "x"}}
	head, _, err := seenBy(t, &bridge.Session{}, req)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(head, "GET /api/x?y HTTP/1.1\r\nHost: sandbox\r\n") || strings.Contains(head, "Cookie") ||
		strings.Contains(head, "Base-Path") || strings.Contains(head, "Proto") || strings.Contains(head, "User-Agent") {
		t.Error(head)
	}
}

func TestBadTargetsAndValues(t *testing.T) {
	for _, target := range []string{"", "*", "x", "/a b", "/a\r\nX: y", "/a\x00", "/\x7f", "http://x/"} {
		if _, _, err := seenBy(t, testSession(), get(target)); failure(t, err).Status != 400 {
			t.Errorf("target %q: %v", target, err)
		}
	}
	for _, value := range []string{"a\r\nX-Sandstorm-User-Id: b", "a\nb", "a\x00", "a\rb"} {
		for _, name := range []string{"Accept", "Cookie", "X-Sandstorm-App-X", "User-Agent", "If-Match"} {
			req := get("/")
			req.Fields = []bridge.Field{{name, value}}
			if _, _, err := seenBy(t, testSession(), req); failure(t, err).Status != 400 {
				t.Errorf("%s %q: %v", name, value, err)
			}
		}
	}
}

func withBody(method, content string, fields ...bridge.Field) *bridge.Request {
	return &bridge.Request{
		Method: method, Target: "/d", Host: ownHost, Fields: fields,
		Body: newBody(strings.NewReader(content)), Length: int64(len(content)),
	}
}

func TestMethods(t *testing.T) {
	xml := bridge.Field{Name: "Content-Type", Value: "text/xml; charset=x"}
	tests := []struct {
		method string
		fields []bridge.Field
		body   bool
		want   []string // lines that must be there
		absent []string // names that must not
		status int      // of a refusal
	}{
		{method: "GET", absent: []string{"Content-Length"}},
		{method: "HEAD"},
		{method: "DELETE", fields: []bridge.Field{{"If", "(<t>)"}}, want: []string{"If: (<t>)"}, absent: []string{"Content-Length"}},
		{method: "OPTIONS"},
		{method: "POST", body: true, fields: []bridge.Field{{"Content-Type", "a/b"}, {"Content-Encoding", "gzip"}}, want: []string{"Content-Length: 4", "Content-Type: a/b", "Content-Encoding: gzip"}},
		{method: "PUT", body: true},
		{method: "PATCH", body: true},
		{method: "MKCOL", body: true},
		{method: "REPORT", body: true, fields: []bridge.Field{{"Depth", "1"}}, want: []string{"Depth: 1"}},
		{method: "REPORT", body: true, fields: []bridge.Field{{"Depth", "9"}}, absent: []string{"Depth"}},
		{method: "COPY", fields: []bridge.Field{{"Destination", "https://" + ownHost + "/n%20w"}, {"Depth", "0"}, {"Overwrite", "f"}}, want: []string{"Destination: https://" + ownHost + "/n%20w", "Depth: 0", "Overwrite: F"}},
		{method: "COPY", fields: []bridge.Field{{"Destination", "/n"}}, want: []string{"Destination: https://" + ownHost + "/n", "Depth: infinity", "Overwrite: T"}},
		{method: "MOVE", fields: []bridge.Field{{"Destination", "/n"}, {"Depth", "0"}}, want: []string{"Overwrite: T"}, absent: []string{"Depth"}},
		{method: "MOVE", fields: []bridge.Field{{"Destination", "https://evil.test/n"}}, status: 400},
		{method: "MOVE", fields: []bridge.Field{{"Destination", "//evil.test/n"}}, status: 400},
		{method: "MOVE", fields: []bridge.Field{{"Destination", "https://u@" + ownHost + "/n"}}, status: 400},
		{method: "MOVE", fields: []bridge.Field{{"Destination", "ftp://" + ownHost + "/n"}}, status: 400},
		{method: "MOVE", status: 400},
		{method: "LOCK", body: true, fields: []bridge.Field{{"Timeout", "Second-9"}}, want: []string{"Depth: infinity", "Timeout: Second-9", "Content-Type: application/xml; charset=utf-8"}},
		{method: "LOCK", body: true, fields: []bridge.Field{xml, {"Depth", "0"}}, want: []string{"Depth: 0", "Content-Type: text/xml; charset=x"}},
		{method: "UNLOCK", fields: []bridge.Field{{"Lock-Token", "<opaquelocktoken:1>"}}, want: []string{"Lock-Token: <opaquelocktoken:1>"}},
		{method: "PROPFIND", want: []string{"Depth: infinity"}},
		{method: "PROPFIND", body: true, fields: []bridge.Field{xml, {"Depth", "1"}}, want: []string{"Depth: 1"}},
		{method: "PROPFIND", body: true, fields: []bridge.Field{{"Content-Type", "application/json"}}, status: 415},
		{method: "PROPPATCH", body: true, fields: []bridge.Field{xml}},
		{method: "ACL", body: true, fields: []bridge.Field{{"Content-Type", "xml"}}, status: 415},
		{method: "PROPFIND", body: true, fields: []bridge.Field{{"Content-Type", "text/plain;charset=UTF-8"}}, want: []string{"Content-Type: application/xml; charset=utf-8"}},
		{method: "MKCALENDAR", body: true, fields: []bridge.Field{xml}, want: []string{"Content-Type: text/xml; charset=x"}},
		{method: "TRACE", status: 501},
		{method: "CONNECT", status: 501},
		{method: "get", status: 501},
		{method: "GET /x HTTP/1.1\r\nA: b\r\n\r\n", status: 501},
	}
	for _, tt := range tests {
		req := &bridge.Request{Method: tt.method, Target: "/d", Host: ownHost, Fields: tt.fields}
		if tt.body {
			req = withBody(tt.method, "body", tt.fields...)
		}
		head, body, err := seenBy(t, testSession(), req)
		if tt.status != 0 {
			if failure(t, err).Status != tt.status {
				t.Errorf("%s %v: %v, want status %d", tt.method, tt.fields, err, tt.status)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %v: %v", tt.method, tt.fields, err)
			continue
		}
		if !strings.HasPrefix(head, tt.method+" /d HTTP/1.1\r\n") || (body == "body") != tt.body {
			t.Errorf("%s: head %q body %q", tt.method, head, body)
		}
		for _, line := range tt.want {
			if !strings.Contains(head, "\r\n"+line+"\r\n") {
				t.Errorf("%s %v: no %q in %q", tt.method, tt.fields, line, head)
			}
		}
		for _, name := range tt.absent {
			if strings.Contains(head, "\r\n"+name+":") {
				t.Errorf("%s %v: %s in %q", tt.method, tt.fields, name, head)
			}
		}
	}
}

func TestBodiesThatAreIgnored(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "DELETE", "OPTIONS", "UNLOCK"} {
		head, _, err := seenBy(t, testSession(), withBody(method, "GET /admin HTTP/1.1\r\n\r\n", bridge.Field{Name: "Content-Type", Value: "a/b"}))
		if err != nil || strings.Contains(head, "Content-") {
			t.Errorf("%s: %q %v", method, head, err)
		}
	}
	head, _, err := seenBy(t, testSession(), &bridge.Request{Method: "POST", Target: "/", Host: ownHost})
	if err != nil || !strings.Contains(head, "Content-Length: 0\r\n") {
		t.Errorf("POST without body: %q %v", head, err)
	}
}

func TestInflatedXML(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	io.WriteString(w, "<x/>")
	w.Close()
	enc := bridge.Field{Name: "Content-Encoding", Value: "gzip"}
	head, body, err := seenBy(t, testSession(), withBody("PROPFIND", z.String(), enc))
	if err != nil || body != "<x/>" || strings.Contains(head, "Content-Encoding") {
		t.Errorf("%q %q %v", head, body, err)
	}
	z.Reset()
	w.Reset(&z)
	for range 9 << 20 >> 16 {
		w.Write(make([]byte, 1<<16))
	}
	w.Close()
	if _, _, err := seenBy(t, testSession(), withBody("PROPFIND", z.String(), enc)); failure(t, err).Status != 413 {
		t.Errorf("bomb of %d bytes: %v", z.Len(), err)
	}
	if _, _, err := seenBy(t, testSession(), withBody("PROPFIND", "no gzip", enc)); failure(t, err).Status != 400 {
		t.Errorf("no gzip: %v", err)
	}
}

func TestRepeatedDial(t *testing.T) {
	app := bridge.NewApp(bridge.AppOptions{Dial: func(context.Context) (net.Conn, error) { return nil, io.ErrClosedPipe }})
	defer app.Close()
	err := app.Serve(t.Context(), get("/"), testSession(), &recorder{})
	if f := failure(t, err); !f.Unsent {
		t.Error("a request that was not sent must say so")
	}
	app.Close()
	if f := failure(t, app.Serve(t.Context(), get("/"), testSession(), &recorder{})); !f.Unsent || f.Status != 503 {
		t.Errorf("closed app: %+v", f)
	}
}
