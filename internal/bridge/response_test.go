package bridge_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// answer returns what leaves when an app answers a request with these bytes and
// closes the connection.
func answer(t *testing.T, method, response string) (*recorder, error) {
	t.Helper()
	app := answering(t, response)
	out := &recorder{}
	return out, app.Serve(t.Context(), &bridge.Request{Method: method, Target: "/", Host: ownHost}, testSession(), out)
}

func TestResponseFields(t *testing.T) {
	passed := []string{
		"Content-Type: text/x", "Content-Encoding: br", "Content-Language: fi", "Content-Disposition: inline; filename*=UTF-8''%c3%b6",
		"Content-Location: /x", "Location: /y", "Link: </z>; rel=next", `ETag: W/"1"`, "Last-Modified: yesterday",
		"Accept-Ranges: bytes", "Content-Range: bytes 0-0/1", "Vary: Accept", "Vary: Cookie", "Allow: GET", "Retry-After: 3",
		"DAV: 1, 2", "Lock-Token: <x>", "X-OC-Mtime: accepted", "X-Content-Type-Options: nosniff", "X-Sandstorm-App-Y: z",
		"Expires: 0", "Pragma: no-cache",
	}
	dropped := []string{
		"Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true", "Content-Security-Policy: frame-ancestors *",
		"Content-Security-Policy-Report-Only: report-uri //x", "X-Frame-Options: DENY", "Strict-Transport-Security: max-age=1",
		"Public-Key-Pins: x", "Clear-Site-Data: *", "Service-Worker-Allowed: /", "Alt-Svc: h3=\":443\"", "Report-To: {}",
		"NEL: {}", "Reporting-Endpoints: a=b", "WWW-Authenticate: Basic", "Proxy-Authenticate: Basic", "Permissions-Policy: x",
		"Cross-Origin-Opener-Policy: x", "Cross-Origin-Resource-Policy: cross-origin", "Referrer-Policy: unsafe-url", "Server: x", "X-Powered-By: x",
		"Date: x", "Set-Cookie2: a=b", "Refresh: 0", "Keep-Alive: x", "Upgrade: h2c", "Trailer: x", "X-Sandstorm-App: y",
		"Origin-Agent-Cluster: ?0", "X-Accel-Redirect: /etc/passwd", "X-Sendfile: /etc/passwd", "Connection: X-Sandstorm-App-Y",
		"X-Content-Type-Options: other", "Content-Type: text/second", "Location: /second",
	}
	all := append(slices.Clone(passed), dropped...)
	out, err := answer(t, "GET", "HTTP/1.1 200 OK\r\n"+strings.Join(all, "\r\n")+"\r\nContent-Length: 2\r\n\r\nhi")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range out.head.Fields {
		got = append(got, f.Name+": "+f.Value)
	}
	slices.Sort(got)
	slices.Sort(passed)
	if !slices.Equal(got, passed) {
		t.Errorf("left:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(passed, "\n"))
	}
	if out.body.String() != "hi" || out.head.Length != 2 {
		t.Errorf("body %q, length %d", out.body.String(), out.head.Length)
	}
}

func TestCaching(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "private, no-cache",
		"Cache-Control: public, max-age=9": "private, max-age=9",
		"Cache-Control: no-store":          "private, no-store",
		"Cache-Control: s-maxage=5,immutable, private=\"x\"": "private, immutable",
	} {
		if in != "" {
			in += "\r\n"
		}
		out, err := answer(t, "GET", "HTTP/1.1 200 OK\r\n"+in+"Content-Length: 0\r\n\r\n")
		if got := strings.Join(out.get("Cache-Control"), "|"); err != nil || got != want {
			t.Errorf("%q gives %q, want %q (%v)", in, got, want, err)
		}
	}
}

func TestSetCookie(t *testing.T) {
	tests := []struct{ in, want string }{
		{"a=b", "a=b; Secure"},
		{"a=b; Domain=sandstorm.test; Path=/x; HttpOnly; SameSite=None; Secure; Partitioned; Priority=High", "a=b; Path=/x; HttpOnly; Secure"},
		{"a=b; Max-Age=60; expires=Wed, 09-Jun-2021 10:18:14 GMT", "a=b; Max-Age=60; Expires=Wed, 09 Jun 2021 10:18:14 GMT; Secure"},
		{"a=b; Expires=Wednesday, 09-Jun-21 10:18:14 GMT", "a=b; Expires=Wed, 09 Jun 2021 10:18:14 GMT; Secure"},
		{"a=b; Expires=Wed Jun  9 10:18:14 2021", "a=b; Expires=Wed, 09 Jun 2021 10:18:14 GMT; Secure"},
		{"a=b; Expires=Wed, 09 Jun 2021 10:18:14 -0000", "a=b; Expires=Wed, 09 Jun 2021 10:18:14 GMT; Secure"},
		{"a=b; Expires=soon; Max-Age=x", "a=b; Secure"},
		{"a=; Max-Age=-5", "a=; Max-Age=0; Secure"},
		{"a=b=c; path=relative", "a=b=c; Secure"},
		{"sandstorm-sid=" + strings.Repeat("0", 64), ""},
		{"Sandstorm-SID=x", ""},
		{" sandstorm-sid =x", ""},
		{"=sandstorm-sid=x", ""},
		{"sandstorm-sid", ""},
		{"a b=c", ""},
		{"a=b,c", ""},
		{"a=b; Path=/,x", ""},
		{"", ""},
	}
	for _, tt := range tests {
		out, err := answer(t, "GET", "HTTP/1.1 200 OK\r\nSet-Cookie: "+tt.in+"\r\nContent-Length: 0\r\n\r\n")
		if got := strings.Join(out.get("Set-Cookie"), "|"); err != nil || got != tt.want {
			t.Errorf("%q gives %q, want %q (%v)", tt.in, got, tt.want, err)
		}
	}
	app := answering(t, "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
	out := &recorder{}
	req := get("/")
	req.ThirdParty = true
	if err := app.Serve(t.Context(), req, testSession(), out); err != nil || out.get("Set-Cookie")[0] != "a=b; Secure; SameSite=None; Partitioned" {
		t.Errorf("third party: %v %v", out.get("Set-Cookie"), err)
	}
	out = &recorder{}
	if err := app.Serve(t.Context(), get("/"), &bridge.Session{}, out); err != nil || len(out.get("Set-Cookie")) != 0 {
		t.Errorf("API session: %v %v", out.get("Set-Cookie"), err)
	}
}

func TestStatuses(t *testing.T) {
	tests := []struct {
		method   string
		in, want int
	}{
		{"GET", 200, 200},
		{"GET", 206, 206},
		{"GET", 299, 299},
		{"PROPFIND", 207, 207},
		{"GET", 301, 301},
		{"GET", 302, 302},
		{"POST", 302, 302},
		{"PUT", 302, 303},
		{"DELETE", 302, 303},
		{"GET", 303, 303},
		{"GET", 307, 307},
		{"GET", 308, 308},
		{"GET", 300, 300},
		{"GET", 401, 401},
		{"GET", 404, 404},
		{"GET", 407, 400},
		{"GET", 421, 400},
		{"GET", 418, 418},
		{"GET", 451, 451},
		{"GET", 499, 499},
		{"GET", 500, 500},
		{"GET", 503, 503},
		{"GET", 599, 599},
		{"OPTIONS", 204, 204},
		{"OPTIONS", 405, 200},
		{"OPTIONS", 501, 200},
		{"OPTIONS", 404, 404},
		{"POST", 405, 405},
		{"GET", 600, 502},
		{"GET", 999, 502},
		{"GET", 101, 502},
	}
	for _, tt := range tests {
		out, err := answer(t, tt.method, fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", tt.in))
		if tt.want == 502 {
			if failure(t, err).Status != 502 {
				t.Errorf("%d: %v", tt.in, err)
			}
			continue
		}
		if err != nil || out.head.Status != tt.want {
			t.Errorf("%s %d gives %d, want %d (%v)", tt.method, tt.in, out.head.Status, tt.want, err)
		}
		if tt.in != 204 && out.body.String() != "{}" {
			t.Errorf("%d: body %q", tt.in, out.body.String())
		}
	}
}

func TestResponsesWithoutBody(t *testing.T) {
	tests := []struct {
		method, response string
		length           int64
	}{
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234567\r\n\r\n", 1234567},
		{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -1},
		{"HEAD", "HTTP/1.1 200 OK\r\n\r\n", -1},
		{"GET", "HTTP/1.1 204 No Content\r\n\r\n", -1},
		{"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nbad", -1},
		{"GET", "HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", 0},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: \"x\"\r\n\r\n", -1},
	}
	for _, tt := range tests {
		out, err := answer(t, tt.method, tt.response)
		if err != nil || out.head.HasBody || out.head.Length != tt.length || out.body.Len() != 0 {
			t.Errorf("%s %q: %+v %q %v", tt.method, tt.response, out.head, out.body.String(), err)
		}
	}
}

func TestHostileHeads(t *testing.T) {
	long := strings.Repeat("a", 70<<10)
	for name, response := range map[string]string{
		"not HTTP":           "hello\r\n\r\n",
		"HTTP/2":             "HTTP/2.0 200 OK\r\n\r\n",
		"short status":       "HTTP/1.1 20\r\n\r\n",
		"status below 100":   "HTTP/1.1 099 X\r\n\r\n",
		"negative":           "HTTP/1.1 -20 X\r\n\r\n",
		"four digits":        "HTTP/1.1 2000 X\r\n\r\n",
		"folded":             "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
		"folded first":       "HTTP/1.1 200 OK\r\n c\r\n\r\n",
		"space before colon": "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n",
		"no colon":           "HTTP/1.1 200 OK\r\nabc\r\n\r\n",
		"no name":            "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
		"bare CR":            "HTTP/1.1 200 OK\r\nLocation: a\rSet-Cookie: b=c\r\n\r\n",
		"NUL":                "HTTP/1.1 200 OK\r\nLocation: a\x00b\r\n\r\n",
		"NUL in name":        "HTTP/1.1 200 OK\r\nLoc\x00ation: b\r\n\r\n",
		"bare CR in status":  "HTTP/1.1 200 OK\rX: y\r\n\r\n",
		"DEL":                "HTTP/1.1 200 OK\r\nLocation: a\x7fb\r\n\r\n",
		"both framings":      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"list of lengths":    "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc",
		"negative length":    "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
		"signed length":      "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
		"hex length":         "HTTP/1.1 200 OK\r\nContent-Length: 0x3\r\n\r\nabc",
		"huge length":        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"empty length":       "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
		"two codings":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"gzip, chunked":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"odd coding":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"chunked in 1.0":     "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"huge field":         "HTTP/1.1 200 OK\r\nX: " + long + "\r\n\r\n",
		"many fields":        "HTTP/1.1 200 OK\r\n" + strings.Repeat("a: b\r\n", 300) + "\r\n",
		"many interim":       strings.Repeat("HTTP/1.1 103 Early\r\n\r\n", 101) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"unasked upgrade":    "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n",
	} {
		out, err := answer(t, "GET", response)
		var f *bridge.Failure
		if !errors.As(err, &f) || f.Status != 502 || out.starts != 0 {
			t.Errorf("%s: error %v, head %+v", name, err, out.head)
		}
	}
}

func TestTolerated(t *testing.T) {
	for name, response := range map[string]string{
		"lone LF":         "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
		"no reason":       "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi",
		"interim":         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
		"same length":     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nhi",
		"identity":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi",
		"chunks":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1;x=\"y\"\r\nh\r\n01 \r\ni\r\n0\r\nTrailer: x\r\n\r\n",
		"odd field bytes": "HTTP/1.1 200 \xff\r\nX: \xc3\xb6\xff\r\nContent-Length:\t2 \r\n\r\nhi",
		"more than asked": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n\r\n",
	} {
		out, err := answer(t, "GET", response)
		if err != nil || out.body.String() != "hi" {
			t.Errorf("%s: %q %v", name, out.body.String(), err)
		}
	}
}
