package gateway_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
	"github.com/sandstorm-go/sandstorm/internal/gateway"
)

// hello is an app that tells what it was asked and which cookies it saw.
var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, "app saw "+r.Method+" "+r.RequestURI+" ["+r.Header.Get("Cookie")+"]")
})

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestInit(t *testing.T) {
	for _, tls := range []bool{false, true} {
		f := newFixture(t, hello, testOptions{tls: tls})
		r := f.request("GET", gateway.InitPath(f.id, "/p?q=1&r=a+b%2f#h"), "")
		r.Header.Del("Cookie")
		r.Header.Set("Sec-Fetch-Site", "same-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "iframe")
		resp := f.do(r)
		want := "sandstorm-sid=" + f.id.Reveal() + "; Path=/; HttpOnly"
		if tls {
			want += "; Secure"
		}
		want += "; SameSite=Lax"
		if resp.StatusCode != 303 || resp.Header.Get("Location") != "/p?q=1&r=a+b%2f#h" || resp.Header.Get("Set-Cookie") != want {
			t.Errorf("%v %v", resp.Status, resp.Header)
		}
		if resp.Header.Get("Referrer-Policy") != "no-referrer" || resp.Header.Get("Cache-Control") != "no-store" || text(t, resp) != "" {
			t.Errorf("the secret in the address may leak: %v", resp.Header)
		}
		if f.opens != 0 {
			t.Error("the session was opened")
		}
	}
}

func TestInitAttacks(t *testing.T) {
	f := newFixture(t, hello, testOptions{})
	id, other := f.id.Reveal(), sandstorm.NewSessionID().Reveal()
	for query, status := range map[string]int{
		"path=/&sessionid=" + id:              303, // any order
		"sessionid=" + id:                     303,
		"sessionid=" + id + "&path=":          303,
		"sessionid=" + id + "&path=x":         303,
		"sessionid=" + id + "&path=/&extra=1": 303,

		"":                                                        400,
		"path=/":                                                  400,
		"sessionid=&path=/":                                       400,
		"sessionid=" + other + "&path=/":                          403, // of another host
		"sessionid=" + id[1:] + "&path=/":                         400,
		"sessionid=" + id + "0&path=/":                            400,
		"sessionid=" + strings.ToUpper(id):                        400,
		"sessionid=" + id + "&sessionid=" + id:                    400,
		"sessionid=" + id + "&path=/&path=/x":                     400,
		"sessionid=" + id + "%3B+Domain=sandstorm.test":           400, // cookie injection
		"sessionid=" + id + "%0d%0aSet-Cookie:+a=b&path=/":        400,
		"sessionid=" + id + ";path=/":                             400,
		"sessionid=" + id + "&path=%zz":                           400,
		"sessionid=" + id + "&path=" + strings.Repeat("x", 20000): 400,
	} {
		resp := f.do(f.request("GET", "/_sandstorm-init?"+query, ""))
		if resp.StatusCode != status {
			t.Errorf("%.120q: %s, want %d", query, resp.Status, status)
		}
		if status != 303 && (resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("Location") != "") {
			t.Errorf("%.120q: %v", query, resp.Header)
		}
	}
	for path, want := range map[string]string{
		"/":           "/",
		"x/y":         "/x/y",
		"/ä b":        "/%C3%A4%20b",
		"/a//b":       "/a//b",
		"/a\\b":       "/a%5Cb",
		"/?u=//evil":  "/?u=//evil",
		"/\"><script": "/%22%3E%3Cscript",
		"//evil.test": "", "/\\evil.test": "", "\\\\evil.test": "", "/\t/evil.test": "", "/\r\nSet-Cookie: a=b": "",
		"\x00//evil.test": "", "/\x7f": "", "https://evil.test/": "/https://evil.test/", "/\n/evil.test": "",
	} {
		resp := f.do(f.request("GET", "/_sandstorm-init?sessionid="+id+"&path="+url.QueryEscape(path), ""))
		if got := resp.Header.Get("Location"); got != want {
			t.Errorf("path %q leads to %q, want %q (%s)", path, got, want, resp.Status)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		if resp := f.do(f.request(method, gateway.InitPath(f.id, "/"), "")); resp.StatusCode != 405 {
			t.Errorf("%s: %s", method, resp.Status)
		}
	}
	if f.opens != 0 {
		t.Error("the app was reached")
	}
}

func TestThirdPartyCookie(t *testing.T) {
	f := newFixture(t, hello, testOptions{tls: true, change: func(o *gateway.Options) { o.BaseURL = "https://elsewhere.example" }})
	resp := f.do(f.request("GET", gateway.InitPath(f.id, "/"), ""))
	if c := resp.Header.Get("Set-Cookie"); !strings.HasSuffix(c, "; Secure; SameSite=None; Partitioned") {
		t.Error(c)
	}
}

func TestSessionCookie(t *testing.T) {
	f := newFixture(t, hello, testOptions{})
	id, other := f.id.Reveal(), sandstorm.NewSessionID().Reveal()
	for cookie, ok := range map[string]bool{
		"sandstorm-sid=" + id:             true,
		"a=b; sandstorm-sid=" + id + ";c": true,
		// A sibling grain planted its own for the parent domain.
		"sandstorm-sid=" + other + "; sandstorm-sid=" + id: true,
		"sandstorm-sid=" + id + "; sandstorm-sid=" + other: true,
		"sandstorm-sid=" + other:                           false,
		"sandstorm-sid=" + strings.ToUpper(id):             false,
		"sandstorm-sid=" + id + "x":                        false,
		"sandstorm-sid=":                                   false,
		"Sandstorm-Sid=" + id:                              false,
		"xsandstorm-sid=" + id:                             false,
		"a=\"; sandstorm-sid=" + other + "\"":              false,
		"":                                                 false,
	} {
		r := f.request("GET", "/x", "")
		r.Header.Set("Cookie", cookie)
		resp := f.do(r)
		body := text(t, resp)
		if (resp.StatusCode == 200) != ok || !ok && resp.StatusCode != 403 {
			t.Errorf("%q: %s %s", cookie, resp.Status, body)
		}
		if strings.Contains(body, id) || strings.Contains(body, other) {
			t.Errorf("%q: the app or the page shows a secret: %s", cookie, body)
		}
	}
	// The cookie of one session does not open another's host.
	r := f.request("GET", "/x", "")
	r.Host = "ui-" + someHost + "." + baseHost
	if resp := f.do(r); resp.StatusCode != 403 {
		t.Errorf("other host: %s", resp.Status)
	}
}

func TestErrorsOfTheSource(t *testing.T) {
	f := newFixture(t, hello, testOptions{})
	for _, tt := range []struct {
		err    error
		status int
		shown  string
	}{
		{sandstorm.Errorf(sandstorm.NotFound, "session.ended", "secret detail"), 404, "closed"},
		{sandstorm.Errorf(sandstorm.Denied, "session.access-denied", "secret detail"), 403, ""},
		{sandstorm.Errorf(sandstorm.Conflict, "grain.in-trash", "secret detail"), 409, ""},
		{sandstorm.Errorf(sandstorm.Unavailable, "grain.start", "secret detail"), 503, ""},
		{errors.New("secret detail"), 500, "went wrong"},
	} {
		f.open = func() (gateway.OpenSession, error) { return gateway.OpenSession{}, tt.err }
		resp := f.do(f.request("GET", "/", ""))
		body := text(t, resp)
		if resp.StatusCode != tt.status || strings.Contains(body, "secret") || !strings.Contains(body, tt.shown) {
			t.Errorf("%v: %s %s", tt.err, resp.Status, body)
		}
		if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors http://"+baseHost) {
			t.Errorf("the shell cannot show the error in the frame: %q", csp)
		}
		if tt.status == 503 && resp.Header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
}

// TestGrainStartedAgain: a grain that stopped between two requests is started
// by the next one, which goes through.
func TestGrainStartedAgain(t *testing.T) {
	f := newFixture(t, hello, testOptions{})
	gone := bridge.NewApp(bridge.AppOptions{})
	gone.Close()
	f.open = func() (gateway.OpenSession, error) {
		if f.opens == 1 {
			return gateway.OpenSession{Bridge: f.session, App: gone}, nil
		}
		return gateway.OpenSession{Bridge: f.session, App: f.app}, nil
	}
	resp := f.do(f.request("POST", "/x", "body"))
	if resp.StatusCode != 200 || f.opens != 2 {
		t.Errorf("%s after %d opens", resp.Status, f.opens)
	}
	f.open = func() (gateway.OpenSession, error) { return gateway.OpenSession{Bridge: f.session, App: gone}, nil }
	if resp := f.do(f.request("GET", "/", "")); resp.StatusCode != 503 || f.opens != 4 {
		t.Errorf("%s after %d opens", resp.Status, f.opens)
	}
}

func TestRevokedSession(t *testing.T) {
	f := newFixture(t, hello, testOptions{})
	f.session.Close()
	if resp := f.do(f.request("GET", "/", "")); resp.StatusCode != 403 {
		t.Error(resp.Status)
	}
}

// FuzzInit: whatever the query, the cookie is that of the host and the Location
// stays on it.
func FuzzInit(f *testing.F) {
	gw, err := gateway.New(gateway.Options{BaseURL: "https://x.test", WildcardHost: "*.x.test"})
	if err != nil {
		f.Fatal(err)
	}
	id, ok := sandstorm.ParseSessionID(strings.Repeat("0123456789abcdef", 4))
	if !ok {
		f.Fatal("id")
	}
	host := "ui-" + string(id.HostID()) + ".x.test"
	f.Add("sessionid=" + id.Reveal() + "&path=/x%3Fy")
	f.Add("path=//evil&sessionid=" + id.Reveal())
	f.Add("sessionid=" + id.Reveal() + "&path=%5c%09/evil")
	f.Add("sessionid=%3B+Domain=x.test")
	f.Fuzz(func(t *testing.T, query string) {
		r := &http.Request{
			Method: "GET", Host: host, URL: &url.URL{Path: "/_sandstorm-init", RawQuery: query},
			RequestURI: "/_sandstorm-init?" + query, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		}
		w := httptest.NewRecorder()
		gw.ServeHTTP(w, r)
		location, cookie := w.Header().Get("Location"), w.Header().Get("Set-Cookie")
		if w.Code != 303 {
			if location != "" || cookie != "" {
				t.Fatalf("%d with %v", w.Code, w.Header())
			}
			return
		}
		if cookie != "sandstorm-sid="+id.Reveal()+"; Path=/; HttpOnly; Secure; SameSite=Lax" {
			t.Fatal(cookie)
		}
		base := &url.URL{Scheme: "https", Host: host, Path: "/"}
		to, err := base.Parse(location)
		if err != nil {
			return // no browser goes there either
		}
		if to.Host != host || strings.HasPrefix(location, "//") || strings.ContainsAny(location, "\\\r\n\t ") {
			t.Fatalf("%q leads to %s", location, to)
		}
	})
}
