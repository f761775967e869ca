package netguard

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func TestAllowed(t *testing.T) {
	g, open := New(Options{}), New(Options{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}})
	for _, c := range []struct {
		ip           string
		plain, local bool // allowed by the rule; allowed when all private networks are
	}{
		{"93.184.216.34", true, true},
		{"2606:2800:220:1::1", true, true},
		{"::ffff:93.184.216.34", true, true},
		{"127.0.0.1", false, true},
		{"127.255.255.255", false, true},
		{"::ffff:127.0.0.1", false, true},
		{"::ffff:7f00:1", false, true},
		{"10.0.0.1", false, true},
		{"::ffff:10.0.0.1", false, true},
		{"172.15.255.255", true, true},
		{"172.16.0.1", false, true},
		{"172.32.0.1", true, true},
		{"192.168.1.1", false, true},
		{"169.254.169.254", false, true},
		{"::1", false, true},
		{"fd00::1", false, true},
		{"fe80::1", false, true},
		{"fe80::1%eth0", false, false},
		{"0.0.0.0", false, false},
		{"0.1.2.3", false, false},
		{"100.64.0.1", false, false},
		{"192.0.0.8", false, false},
		{"192.0.2.1", false, false},
		{"192.88.99.1", false, false},
		{"198.18.0.1", false, false},
		{"198.51.100.1", false, false},
		{"203.0.113.1", false, false},
		{"224.0.0.1", false, false},
		{"255.255.255.255", false, false},
		{"::", false, false},
		{"64:ff9b::7f00:1", false, false},
		{"64:ff9b:1::1", false, false},
		{"100::1", false, false},
		{"2001::1", false, false},
		{"2001:10::1", false, false},
		{"2001:db8::1", false, false},
		{"2002:7f00:1::", false, false},
		{"fec0::1", false, false},
		{"ff02::1", false, false},
	} {
		ip := netip.MustParseAddr(c.ip)
		if g.Allowed(ip) != c.plain || open.Allowed(ip) != c.local {
			t.Errorf("%s: %v and with private networks %v, want %v and %v", c.ip, g.Allowed(ip), open.Allowed(ip), c.plain, c.local)
		}
	}
	if g.Allowed(netip.Addr{}) {
		t.Error("no address is allowed")
	}
}

// Ways to write a private address that a careless check lets pass.
func TestBlockedHosts(t *testing.T) {
	client := New(Options{Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
		switch host {
		case "private.example", "127.0.0.1.":
			return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::ffff:10.0.0.1")}, nil
		}
		return nil, errors.New("no such host")
	}}).Client()
	for host, kind := range map[string]sandstorm.Kind{
		"127.0.0.1": sandstorm.Denied, "[::1]": sandstorm.Denied, "[::ffff:127.0.0.1]": sandstorm.Denied, "0.0.0.0": sandstorm.Denied, "[::]": sandstorm.Denied,
		"169.254.169.254": sandstorm.Denied, "private.example": sandstorm.Denied, "[fe80::1%25lo]": sandstorm.Denied, "[64:ff9b::7f00:1]": sandstorm.Denied,
		// Not addresses to us: they are looked up as names.
		"2130706433": sandstorm.Unavailable, "0x7f.1": sandstorm.Unavailable, "0177.0.0.1": sandstorm.Unavailable, "unknown.example": sandstorm.Unavailable,
	} {
		resp, err := client.Get("http://" + host + "/")
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s was fetched", host)
		} else if !sandstorm.IsKind(err, kind) {
			t.Errorf("%s: %v (%v), want %v", host, err, sandstorm.KindOf(err), kind)
		}
	}
}

// The name server answers a public address to whoever checks and a private one
// to whoever connects. There must be one question only, and its answer counts.
func TestRebinding(t *testing.T) {
	var questions atomic.Int32
	g := New(Options{Resolve: func(context.Context, string) ([]netip.Addr, error) {
		if questions.Add(1) == 1 {
			return []netip.Addr{netip.MustParseAddr("192.168.0.1")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}})
	_, err := g.DialContext(t.Context(), "tcp", "rebind.example:80")
	if !sandstorm.IsKind(err, sandstorm.Denied) || questions.Load() != 1 {
		t.Errorf("error is %v after %d questions", err, questions.Load())
	}
}

// The allowed address of several is used, with the original Host.
func TestPicksAllowed(t *testing.T) {
	var host string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { host = r.Host }))
	defer srv.Close()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	client := New(Options{Allow: loopback, Resolve: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("127.0.0.1")}, nil
	}}).Client()
	resp, err := client.Get("http://two.example:" + port + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if host != "two.example:"+port {
		t.Errorf("Host is %s", host)
	}
}

func TestRedirects(t *testing.T) {
	var referrer string
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	defer srv.Close()
	secure := httptest.NewTLSServer(http.RedirectHandler(srv.URL+"/ok", http.StatusFound))
	defer secure.Close()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		referrer = r.Referer()
		io.WriteString(w, "ok")
	})
	mux.Handle("/good", http.RedirectHandler("/ok", http.StatusFound))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.Handle("/private", http.RedirectHandler("http://10.0.0.1/", http.StatusFound))
	mux.Handle("/metadata", http.RedirectHandler("http://169.254.169.254/latest/", http.StatusTemporaryRedirect))
	mux.Handle("/file", http.RedirectHandler("file:///etc/passwd", http.StatusFound))
	client := New(Options{Allow: loopback}).Client()
	client.Transport.(*http.Transport).TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig
	for url, kind := range map[string]sandstorm.Kind{
		srv.URL + "/loop": sandstorm.Invalid, srv.URL + "/private": sandstorm.Denied, srv.URL + "/metadata": sandstorm.Denied,
		srv.URL + "/file": sandstorm.Denied, secure.URL: sandstorm.Denied,
	} {
		resp, err := client.Get(url)
		if err == nil {
			resp.Body.Close()
		}
		if !sandstorm.IsKind(err, kind) {
			t.Errorf("%s gives %v (%v), want %v", url, err, sandstorm.KindOf(err), kind)
		}
	}
	resp, err := client.Get(srv.URL + "/good?secret")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "ok" || err != nil || referrer != "" {
		t.Errorf("body %q, %v, referrer %q", body, err, referrer)
	}
}

// The environment must not lead around the guard.
func TestNoProxyFromEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	if New(Options{}).Client().Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy is used")
	}
}

// Bombs stay packed.
func TestNoDecompression(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("asks for %s", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, "raw")
	}))
	defer srv.Close()
	resp, err := New(Options{Allow: loopback}).Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "raw" {
		t.Errorf("body %q", body)
	}
}

func TestDialErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	g := New(Options{Allow: loopback})
	for _, c := range []struct {
		network, address string
		kind             sandstorm.Kind
	}{
		{"tcp", closed, sandstorm.Unavailable},
		{"tcp", "127.0.0.1", sandstorm.Invalid},
		{"tcp", "127.0.0.1:0", sandstorm.Invalid},
		{"tcp", "127.0.0.1:http", sandstorm.Invalid},
		{"udp", "127.0.0.1:53", sandstorm.Invalid},
		{"unix", "/tmp/x:1", sandstorm.Invalid},
	} {
		if _, err := g.DialContext(t.Context(), c.network, c.address); !sandstorm.IsKind(err, c.kind) {
			t.Errorf("%s %s: %v, want %v", c.network, c.address, err, c.kind)
		}
	}
}

func TestLimitBody(t *testing.T) {
	for _, c := range []struct {
		size  int
		limit int64
		ok    bool
	}{{0, 0, true}, {1, 0, false}, {10, 10, true}, {11, 10, false}, {5000, 4096, false}} {
		for _, r := range []io.Reader{strings.NewReader(strings.Repeat("x", c.size)), iotest.OneByteReader(strings.NewReader(strings.Repeat("x", c.size)))} {
			body, err := io.ReadAll(LimitBody(r, c.limit))
			if c.ok != (err == nil) || int64(len(body)) != min(int64(c.size), c.limit) || !c.ok && !sandstorm.IsKind(err, sandstorm.TooLarge) {
				t.Errorf("%d bytes with limit %d: %d bytes, %v", c.size, c.limit, len(body), err)
			}
		}
	}
}

// A server that falls silent in the middle does not hold us for ever.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		defer theirs.Close()
		conn := &idleConn{Conn: ours}
		for name, op := range map[string]func([]byte) (int, error){"read": conn.Read, "write": conn.Write} {
			start := time.Now()
			_, err := op(make([]byte, 1))
			if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != idleTimeout {
				t.Errorf("%s ends with %v after %v", name, err, time.Since(start))
			}
		}
	})
}
