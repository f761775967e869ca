package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/gateway"
)

func TestHostsServed(t *testing.T) {
	f := newFixture(t, hello, testOptions{change: func(o *gateway.Options) {
		o.Static = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("static")) })
	}})
	for _, tt := range []struct {
		host, path string
		status     int
		text       string
	}{
		{baseHost, "/x", 200, "shell 127.0.0.1"},
		{"SANDSTORM.test.:80", "/x", 200, "shell"},
		{"static." + baseHost, "/x", 200, "static"},
		{"selftest-1." + baseHost, "/", 200, "Self-test OK."},
		{"selftest-1." + baseHost, "/x", 400, ""},
		{"api." + baseHost, "/", 404, ""},
		{"other.test", "/", 404, "http://" + baseHost},
		{"ui-1." + baseHost, "/", 404, ""},
		{"127.0.0.1", "/", 404, ""},
	} {
		r := f.request("GET", tt.path, "")
		r.Host = tt.host
		resp := f.do(r)
		if body := text(t, resp); resp.StatusCode != tt.status || !strings.Contains(body, tt.text) {
			t.Errorf("%s%s: %s %q", tt.host, tt.path, resp.Status, body)
		}
		if resp.Header.Get("Permissions-Policy") != "interest-cohort=()" {
			t.Errorf("%s: no Permissions-Policy", tt.host)
		}
		if acao := resp.Header.Get("Access-Control-Allow-Origin"); (acao == "*") != (tt.text == "Self-test OK.") {
			t.Errorf("%s%s: Access-Control-Allow-Origin %q", tt.host, tt.path, acao)
		}
	}
	if f.opens != 0 {
		t.Error("a session was opened")
	}
	r := f.request("POST", "/", "x")
	r.Host = "selftest-x." + baseHost
	if resp := f.do(r); resp.StatusCode != 400 {
		t.Errorf("POST to self-test: %s", resp.Status)
	}
}

func TestSecurityFields(t *testing.T) {
	weaken := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, v := range []string{
			"Content-Security-Policy: frame-ancestors *", "Referrer-Policy: unsafe-url", "Permissions-Policy: camera=*",
			"Cross-Origin-Resource-Policy: cross-origin", "X-Frame-Options: ALLOWALL", "Origin-Agent-Cluster: ?0",
			"Access-Control-Allow-Origin: *", "Clear-Site-Data: \"cookies\"", "Server: app",
		} {
			name, value, _ := strings.Cut(v, ": ")
			w.Header().Set(name, value)
		}
		if r.URL.Path == "/404" {
			w.WriteHeader(404)
		}
	})
	f := newFixture(t, weaken, testOptions{})
	own := f.gw.Hosts().SessionOrigin(f.id.HostID())
	for _, path := range []string{"/", "/404"} {
		resp := f.do(f.request("GET", path, ""))
		for name, want := range map[string]string{
			"Content-Security-Policy":      "frame-ancestors http://" + baseHost + " " + own + "; worker-src 'none'",
			"Referrer-Policy":              "same-origin",
			"Permissions-Policy":           "interest-cohort=()",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Origin-Agent-Cluster":         "?1",
			"Cache-Control":                "private, no-cache",
			"X-Frame-Options":              "", "Access-Control-Allow-Origin": "", "Clear-Site-Data": "", "Server": "",
		} {
			if got := strings.Join(resp.Header.Values(name), "|"); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	f.open = func() (gateway.OpenSession, error) {
		return gateway.OpenSession{Bridge: f.session, App: f.app, ParentOrigin: "https://parent.test"}, nil
	}
	if csp := f.do(f.request("GET", "/", "")).Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "frame-ancestors https://parent.test "+own+";") {
		t.Error(csp)
	}
}

func TestStrictPolicy(t *testing.T) {
	f := newFixture(t, hello, testOptions{tls: true, change: func(o *gateway.Options) { o.StrictCSP = true }})
	csp := f.do(f.request("GET", "/", "")).Header.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'; ", "script-src 'self' 'unsafe-inline'", "connect-src 'self' wss://" + f.host + ";",
		"frame-src 'self' https://" + baseHost + " ", "frame-ancestors https://" + baseHost + " https://" + f.host + ";", "worker-src 'none'",
	} {
		if !strings.Contains(csp, want) {
			t.Errorf("no %q in %q", want, csp)
		}
	}
}

func TestRedirect(t *testing.T) {
	f := newFixture(t, hello, testOptions{change: func(o *gateway.Options) {
		o.BaseURL, o.WildcardHost = "https://sandstorm.test:8443", "*.sandstorm.test:8443"
	}})
	for _, tt := range []struct{ host, target, want string }{
		{"sandstorm.test", "/a?b=%20c", "https://sandstorm.test:8443/a?b=%20c"},
		{"Sandstorm.Test:80", "//evil.test/", "https://sandstorm.test:8443//evil.test/"},
		{"ui-" + someHost + ".sandstorm.test:99", "/x", "https://ui-" + someHost + ".sandstorm.test:8443/x"},
		{"other.test", "/", ""},
	} {
		r := httptest.NewRequest("POST", "http://x/", nil)
		r.Host, r.RequestURI = tt.host, tt.target
		w := httptest.NewRecorder()
		f.gw.Redirect().ServeHTTP(w, r)
		if got := w.Header().Get("Location"); got != tt.want || w.Code != map[bool]int{true: 308, false: 404}[tt.want != ""] {
			t.Errorf("%s%s: %d to %q, want %q", tt.host, tt.target, w.Code, got, tt.want)
		}
	}
}

func TestClientAddr(t *testing.T) {
	for _, tt := range []struct{ peer, real, want string }{
		{"203.0.113.9:1", "", "203.0.113.9"},
		{"203.0.113.9:1", "10.0.0.1", "203.0.113.9"},
		{"[2001:db8::1]:1", "10.0.0.1", "2001:db8::1"},
		{"127.0.0.1:1", "203.0.113.5", "203.0.113.5"},
		{"[::1]:1", "203.0.113.5", "203.0.113.5"},
		{"[::ffff:10.1.2.3]:1", "::ffff:203.0.113.5", "203.0.113.5"},
		{"172.16.0.1:1", "2001:db8::2", "2001:db8::2"},
		{"172.32.0.1:1", "2001:db8::2", "172.32.0.1"},
		{"192.168.1.1:1", "x", "192.168.1.1"},
		{"169.254.1.1:1", "1.2.3.4", "1.2.3.4"},
		{"[fe80::1%eth0]:1", "1.2.3.4", "1.2.3.4"},
		{"[fd00::1]:1", "1.2.3.4", "1.2.3.4"},
		{"@", "1.2.3.4", "1.2.3.4"},
		{"@", "", "invalid IP"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		if tt.real != "" {
			r.Header.Set("X-Real-IP", tt.real)
		}
		if got := gateway.ClientAddr(r).String(); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["X-Real-Ip"] = []string{"1.2.3.4", "5.6.7.8"}
	if got := gateway.ClientAddr(r).String(); got != "192.0.2.1" {
		t.Error(got)
	}
}

func TestTooManyRequests(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-finish
	}), testOptions{change: func(o *gateway.Options) { o.MaxInFlight = 2 }})
	done := make(chan int, 2)
	for range 2 {
		r := f.request("GET", "/", "")
		go func() {
			resp, err := f.client.Do(r)
			if err != nil {
				done <- 0
				return
			}
			resp.Body.Close()
			done <- resp.StatusCode
		}()
		<-begun
	}
	resp := f.do(f.request("GET", "/", ""))
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Error(resp.Status, resp.Header)
	}
	close(finish)
	if a, b := <-done, <-done; a != 200 || b != 200 {
		t.Error(a, b)
	}
	go func() { <-begun }()
	if resp := f.do(f.request("GET", "/", "")); resp.StatusCode != 200 {
		t.Error("afterwards:", resp.Status)
	}
}

// TestPanic: a defect in one handler is an error page, or breaks off that
// response, and nothing else.
func TestPanic(t *testing.T) {
	f := newFixture(t, hello, testOptions{change: func(o *gateway.Options) {
		o.Shell = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/begun" {
				w.Write(make([]byte, 100))
				w.(http.Flusher).Flush()
			}
			panic("defect")
		})
	}})
	r := f.request("GET", "/", "")
	r.Host = baseHost
	if resp := f.do(r); resp.StatusCode != 500 {
		t.Error(resp.Status)
	}
	r = f.request("GET", "/begun", "")
	r.Host = baseHost
	if resp, err := f.client.Do(r); err == nil {
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Error("a broken response looks whole")
		}
		resp.Body.Close()
	}
	if resp := f.do(f.request("GET", "/", "")); resp.StatusCode != 200 {
		t.Error(resp.Status)
	}
}
