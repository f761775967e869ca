package gateway_test

import (
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/gateway"
)

var someHost = strings.Repeat("0123456789abcdef", 2)

func hosts(t testing.TB, base, wildcard string) *gateway.Hosts {
	t.Helper()
	h, err := gateway.NewHosts(base, wildcard)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestRoutes(t *testing.T) {
	session := gateway.Route{Kind: gateway.RouteSession, Session: sandstorm.HostID(someHost)}
	shell := gateway.Route{Kind: gateway.RouteShell}
	tests := []struct {
		base, wildcard, host string
		want                 gateway.Route
	}{
		{"https://x.test", "*.x.test", "x.test", shell},
		{"https://x.test", "*.x.test", "X.Test.", shell},
		{"https://x.test", "*.x.test", "x.test:443", shell},
		{"https://x.test", "*.x.test", "x.test:8443", shell},
		{"https://x.test", "*.x.test", "ui-" + someHost + ".x.test", session},
		{"https://x.test", "*.x.test", "UI-" + strings.ToUpper(someHost) + ".x.test.:99", session},
		{"https://x.test", "*.x.test", "static.x.test", gateway.Route{Kind: gateway.RouteStatic}},
		{"https://x.test", "*.x.test", "api.x.test", gateway.Route{Kind: gateway.RouteAPI}},
		{"https://x.test", "*.x.test", "api-" + someHost + ".x.test", gateway.Route{Kind: gateway.RouteAPI}},
		{"https://x.test", "*.x.test", "selftest-1.x.test", gateway.Route{Kind: gateway.RouteSelfTest}},
		// The base host comes first, even where it matches the wildcard.
		{"https://static.x.test", "*.x.test", "static.x.test", shell},
		{"http://x.test:6080", "ss-*.x.test:6080", "ss-ui-" + someHost + ".x.test:6080", session},
		{"http://x.test:6080", "ss-*.x.test", "ui-" + someHost + ".x.test", gateway.Route{}},
		{"http://x.test", "*-ss.x.test", "ui-" + someHost + "-ss.x.test", session},
		{"http://[::1]:80", "*.x.test", "[::1]", shell},
		{"http://127.0.0.1", "*.x.test", "127.0.0.1:80", shell},
	}
	for _, foreign := range []string{
		"", ".", ":80", "x", "y.test", "x.test.evil", "evil-x.test", "xx.test", ".x.test", "*.x.test", "a.b.x.test",
		"ui-" + someHost, "ui-" + someHost + "0.x.test", "ui-" + someHost[1:] + ".x.test", "ui-" + someHost[1:] + "g.x.test",
		"ui-" + someHost + ".evil.x.test", "ui-" + someHost + ".x.test:x", "ui-" + someHost + ".x.test:999999",
		"ui-" + someHost + ".x.test..", "ui_" + someHost + ".x.test", "ui-" + someHost + ".x.test/", "ui-" + someHost + "%00.x.test",
		"[x.test]", "[x.test", "x.test:443:443", "a@x.test", "x.test ", "\u212a.x.test", "selftest.x.test", "apix.x.test",
		strings.Repeat("a", 300) + ".x.test", strings.Repeat("a", 64) + ".x.test", "aaaaaaaaaaaaaaaaaaaa.x.test", "[::1]", "127.0.0.1",
	} {
		tests = append(tests, struct {
			base, wildcard, host string
			want                 gateway.Route
		}{"https://x.test", "*.x.test", foreign, gateway.Route{}})
	}
	for _, tt := range tests {
		if got := hosts(t, tt.base, tt.wildcard).Route(tt.host); got != tt.want {
			t.Errorf("%s %s: %q is %+v, want %+v", tt.base, tt.wildcard, tt.host, got, tt.want)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, bad := range [][2]string{
		{"", "*.x.test"},
		{"x.test", "*.x.test"},
		{"ftp://x.test", "*.x.test"},
		{"https://x.test/path", "*.x.test"},
		{"https://x.test:port", "*.x.test"},
		{"https://u@x.test", "*.x.test"},
		{"https://x.test", ""},
		{"https://x.test", "x.test"},
		{"https://x.test", "*.*.test"},
		{"https://x.test", "*"},
		{"https://x.test", "a.*.test"},
		{"https://x.test", "*.x.test/"},
		{"https://x.test", "http://*.x.test"},
	} {
		if _, err := gateway.NewHosts(bad[0], bad[1]); !sandstorm.IsKind(err, sandstorm.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	h := hosts(t, "HTTPS://X.test:443/", "*.X.test:443")
	if h.BaseOrigin() != "https://x.test" || h.SessionOrigin("ab") != "https://ui-ab.x.test" || h.WildcardSource() != "https://*.x.test" {
		t.Error(h.BaseOrigin(), h.SessionOrigin("ab"), h.WildcardSource())
	}
	h = hosts(t, "http://x.test:6080", "ss-*.x.test:6080")
	if h.Origin("static") != "http://ss-static.x.test:6080" || h.WildcardSource() != "http://*.x.test:6080" {
		t.Error(h.Origin("static"), h.WildcardSource())
	}
}

func TestSameSite(t *testing.T) {
	for _, tt := range []struct {
		base, wildcard string
		want           bool
	}{
		{"http://sandstorm.localhost:6080", "*.sandstorm.localhost:6080", true},
		{"https://alice.example.org", "*.alice.example.org", true},
		{"https://sandstorm.example.org", "ss-*.example.org", true},
		{"https://sandstorm.example.org", "*.example.net", false},
		{"https://a.co.uk", "*.b.co.uk", false},
		{"https://alice.sandcats.io", "*.alice.sandcats.io", true},
		{"https://127.0.0.1", "*.x.test", false},
	} {
		if got := hosts(t, tt.base, tt.wildcard).SameSite(); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func FuzzRoute(f *testing.F) {
	for _, s := range []string{"x.test", "ui-" + someHost + ".x.test:1", "[::1]:80", "static.x.test.", "ss-*.x.test", "\xff.x.test"} {
		f.Add(s)
	}
	h := hosts(f, "https://x.test", "*.x.test:8443")
	f.Fuzz(func(t *testing.T, s string) {
		route := h.Route(s)
		canonical, ours := h.Canonical(s)
		if (route.Kind != gateway.RouteForeign) && !ours {
			t.Errorf("%q is served but has no canonical form", s)
		}
		if !ours {
			return
		}
		if again := h.Route(canonical); again != route {
			t.Errorf("%q is %+v, its canonical form %q is %+v", s, route, canonical, again)
		}
		if strings.ContainsAny(canonical, "/\\@ \r\n\t?#%") || !strings.Contains(canonical, "x.test") {
			t.Errorf("%q has the canonical form %q", s, canonical)
		}
		if route.Kind == gateway.RouteSession {
			if _, ok := sandstorm.ParseHostID(string(route.Session)); !ok {
				t.Errorf("%q gives the host id %q", s, route.Session)
			}
		}
	})
}
