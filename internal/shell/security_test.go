package shell_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/shell"
	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

// Every answer of the base host carries the policy; nothing inline may run.
func TestHeaders(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	for _, path := range []string{"/", "/grain", "/apps", "/no/such", "/login", "/robots.txt", "/manifest.json", "/_static/x/shell.css"} {
		h := s.get(path).Header()
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'none'", "script-src 'self';", "style-src 'self';", "img-src 'self' data: https://static.example.com;",
			"connect-src 'self'", "frame-src https://*.example.com;", "form-action 'self'", "base-uri 'none'",
			"frame-ancestors 'self'", "require-trusted-types-for 'script'",
		} {
			if !strings.Contains(csp+";", want) {
				t.Errorf("%s: policy lacks %q: %s", path, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %s", path, csp)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Permissions-Policy": "interest-cohort=()", "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		if h.Get("X-Request-Id") == "" {
			t.Errorf("%s: no request id", path)
		}
	}
}

// A wildcard with a prefix frames its parent's hosts: CSP knows whole labels only.
func TestFrameSource(t *testing.T) {
	for pattern, want := range map[string]string{
		"*.example.com": "frame-src https://*.example.com;", "ss-*.example.com:8443": "frame-src https://*.example.com:8443;", "*": "frame-src 'none';",
	} {
		sh, err := shelltest.NewShell(shelltest.New(), baseURL, pattern, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		sh.ServeHTTP(w, httptest.NewRequest("GET", "/about", nil))
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, want) {
			t.Errorf("%s: %s", pattern, csp)
		}
	}
}

// No page has inline script, inline style or event attributes, whatever the policy.
func TestNothingInline(t *testing.T) {
	world := shelltest.New()
	s := newSite(t, world, "Alice")
	notes := world.AppByTitle("Notes")
	g := world.GrainByTitle("Garden plan 2027")
	for _, path := range []string{
		"/grain", "/grain/trash", "/grain?rename=" + string(g.ID), "/apps", "/apps/" + string(notes.AppID), "/install/" + string(notes.ID),
		"/grain/" + string(g.ID), "/grainlog/" + string(g.ID), "/account", "/about", "/setup", "/no/such",
	} {
		a := s.get(path)
		for _, n := range a.all("") {
			if n.Data == "script" && attr(n, "src") == "" || n.Data == "style" {
				t.Errorf("%s: inline <%s>", path, n.Data)
			}
			for _, at := range n.Attr {
				if strings.HasPrefix(at.Key, "on") || at.Key == "style" || strings.HasPrefix(at.Val, "javascript:") {
					t.Errorf("%s: <%s %s=%q>", path, n.Data, at.Key, at.Val)
				}
			}
		}
	}
}

// Requests that change something pass only from our own pages: grain hosts are
// same-site, so SameSite cookies would not stop them.
func TestCSRF(t *testing.T) {
	posts := []string{
		"/logout", "/login/email", "/login/code", "/login/dev", "/setup/token", "/setup/email", "/setup/user", "/upload", "/install",
		"/install/0123456789abcdef0123456789abcdef", "/install/attempt/x/cancel", "/apps/x/uninstall", "/grain/new", "/grain/bulk",
		"/_grain/grainGrainGrainGrain20/open", "/_grain/grainGrainGrainGrain20/keepalive", "/_grain/grainGrainGrainGrain20/rename",
		"/_grain/grainGrainGrainGrain20/restart", "/account/profile", "/account/preferences", "/account/picture",
	}
	sources := []struct{ site, origin string }{
		{"cross-site", "https://evil.example"},
		{"same-site", "https://ui-0123.example.com"},
		{"same-site", "null"},
		{"", "https://evil.example"},
		{"", "https://ui-0123.example.com"},
		{"", "null"},
	}
	s := newSite(t, shelltest.New(), "Alice")
	for _, target := range posts {
		for _, from := range sources {
			a := s.do("POST", target, "", func(r *http.Request) {
				r.Header.Del("Sec-Fetch-Site")
				if from.site != "" {
					r.Header.Set("Sec-Fetch-Site", from.site)
				}
				r.Header.Set("Origin", from.origin)
			})
			if a.Code != http.StatusForbidden || s.cookies["__Host-sandstorm-session"] == "" {
				t.Errorf("POST %s from %v: %d", target, from, a.Code)
			}
		}
		// And GET never reaches them.
		before := len(s.world.Grains)
		s.get(target)
		if s.cookies["__Host-sandstorm-session"] == "" || len(s.world.Grains) != before {
			t.Errorf("GET %s changed something", target)
		}
	}
}

// Whatever apps, grains and logs are called, it stays text.
func TestMarkupStaysText(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'{{.}}`
	world := shelltest.New()
	p := world.AppByTitle("Notes")
	p.Manifest.AppTitle.Default, p.Manifest.Actions[0].NounPhrase.Default = evil, evil
	m := &p.Manifest.Metadata
	m.ShortDescription.Default, m.UpstreamAuthor, m.ContactEmail, m.License.OpenSource = evil, evil, evil, evil
	m.Website, m.CodeURL = "javascript:alert(3)", "javascript:alert(4)"
	m.Description.Default = evil + "\n\n[x](javascript:alert(5)) ![p](https://evil.example/p.png) <svg onload=alert(6)>\n\n<script>alert(7)</script>"
	m.ChangeLog.Default = m.Description.Default
	p.Manifest.MarketingVersion.Default = evil
	m.Icons.AppGrid = &sandstorm.Icon{Asset: evil}
	g := world.GrainByTitle("Garden plan 2027")
	g.Title = evil
	world.Logs[g.ID] = evil
	for _, a := range world.Accounts {
		a.Profile.Name = evil
	}
	world.Server.Title = evil
	s := newSite(t, world, evil)
	for _, path := range []string{
		"/grain", "/grain?q=" + url.QueryEscape(evil), "/apps", "/apps?q=" + url.QueryEscape(evil), "/apps/" + string(p.AppID), "/install/" + string(p.ID), "/grain/" + string(g.ID) + "/" + url.PathEscape(evil),
		"/grainlog/" + string(g.ID), "/account", "/about", "/install/0123456789abcdef0123456789abcdef?url=" + url.QueryEscape("https://x/"+evil),
		"/login/code?email=" + url.QueryEscape(evil), "/_emailLogin/" + url.PathEscape(evil) + "/x", "/setup/token/" + url.PathEscape(evil), "/" + url.PathEscape(evil),
	} {
		a := s.get(path)
		if a.doc == nil {
			continue
		}
		for _, n := range a.all("") {
			checkHarmless(t, path, n)
		}
	}
}

func checkHarmless(t *testing.T, path string, n *html.Node) {
	t.Helper()
	switch {
	case n.Data == "script" && !strings.HasPrefix(attr(n, "src"), "/_static/"):
		t.Errorf("%s: script got in", path)
	case n.Data == "img" && !strings.HasPrefix(attr(n, "src"), "/_static/") && !strings.HasPrefix(attr(n, "src"), "https://static.example.com/") && attr(n, "src") != "":
		t.Errorf("%s: picture %q", path, attr(n, "src"))
	case n.Data == "svg" && attr(n, "class") != "icon":
		t.Errorf("%s: svg got in", path)
	}
	for _, at := range n.Attr {
		if strings.HasPrefix(at.Key, "on") || (at.Key == "href" || at.Key == "src") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(at.Val)), "javascript") {
			t.Errorf("%s: <%s %s=%q>", path, n.Data, at.Key, at.Val)
		}
	}
}

// After signing in one stays on this server, whatever the address said.
func TestOpenRedirects(t *testing.T) {
	for _, evil := range []string{
		"https://evil.example/", "//evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "javascript:alert(1)", "evil", "",
		"/ok\r\nX: y", "http:evil", "///evil.example", strings.Repeat("/a", 9000), "/%zz",
	} {
		s := newSite(t, shelltest.New(), "")
		a := s.post("/login/dev", url.Values{"name": {"Alice"}, "return": {evil}})
		s.leads(a, "/")
		a = s.get("/login?return=" + url.QueryEscape(evil)) // signed in already
		s.leads(a, "/")
	}
	s := newSite(t, shelltest.New(), "")
	s.leads(s.get("/grain/grainGrainGrainGrain20/a%20b?x=1&y=2"), "/login?return=%2Fgrain%2FgrainGrainGrainGrain20%2Fa%2520b%3Fx%3D1%26y%3D2")
	s.leads(s.post("/login/dev", url.Values{"name": {"Alice"}, "return": {"/grain/grainGrainGrainGrain20/a%20b?x=1&y=2"}}), "/grain/grainGrainGrainGrain20/a%20b?x=1&y=2")
}

// Cookies cannot be planted by grain hosts or read by script.
func TestCookies(t *testing.T) {
	s := newSite(t, shelltest.New(), "")
	a := s.post("/login/dev", url.Values{"name": {"Alice"}})
	c := a.Header().Get("Set-Cookie")
	for _, want := range []string{"__Host-sandstorm-session=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(c, want) {
			t.Errorf("cookie lacks %q: %s", want, c)
		}
	}
	if strings.Contains(c, "Domain") {
		t.Errorf("cookie with a domain: %s", c)
	}
	// A plain cookie, which a grain's host could plant, is nothing under https.
	s = newSite(t, shelltest.New(), "")
	s.cookies["sandstorm-session"] = s.world.SignIn("Alice")
	s.leads(s.get("/apps"), "/login?return=%2Fapps")
}

// A forged flash cookie can say nothing but our own messages.
func TestForgedFlash(t *testing.T) {
	for _, v := range []string{
		"x", strings.Repeat("A", 3000), base64.RawURLEncoding.EncodeToString([]byte(`{"k":"../error.internal","n":1}`)),
		base64.RawURLEncoding.EncodeToString([]byte(`{"k":"nope"}`)),
	} {
		s := newSite(t, shelltest.New(), "Alice")
		s.cookies["__Host-sandstorm-flash"] = v
		if a := s.want(s.get("/grain"), 200); len(a.all(".flash")) != 0 {
			t.Errorf("%.60q: %s", v, a.text(".flash"))
		}
	}
	s := newSite(t, shelltest.New(), "Alice")
	s.cookies["__Host-sandstorm-flash"] = base64.RawURLEncoding.EncodeToString([]byte(`{"k":"trashed","n":1,"u":["<script>"]}`))
	if a := s.get("/grain"); len(a.all(".flash")) != 1 || strings.Contains(a.Body.String(), "&lt;script") {
		t.Error("a forged grain id went into the undo form")
	}
}

// Bodies are bounded.
func TestLargeBodies(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	big := strings.Repeat("a", 70<<10)
	s.want(s.post("/account/profile", url.Values{"name": {big}}), http.StatusRequestEntityTooLarge)
	s.want(s.json("/_grain/grainGrainGrainGrain20/open", `{"path":"/`+big+`"}`), http.StatusBadRequest)
	s.want(s.json("/_grain/grainGrainGrainGrain20/open", `{"path":"/", "more": 1}`), http.StatusBadRequest)
}

// What went wrong inside is not shown; the request id leads to the log.
func TestInternalErrorsAreHidden(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	s.world.Fail["grains"] = sandstorm.Errorf(sandstorm.Internal, "store.failed", "secret path /var/x")
	a := s.want(s.get("/grain"), http.StatusInternalServerError)
	if strings.Contains(a.Body.String(), "secret path") || !strings.Contains(a.text("main"), a.Header().Get("X-Request-Id")) {
		t.Errorf("page: %s", a.text("main"))
	}
	// Even when no page can be drawn.
	s.world.Fail["settings"] = sandstorm.Errorf(sandstorm.Internal, "store.failed", "secret path /var/x")
	a = s.want(s.get("/grain"), http.StatusInternalServerError)
	if strings.Contains(a.Body.String(), "secret path") || a.text("main") == "" {
		t.Errorf("page: %s", a.Body)
	}
}

// A panic in the rules becomes an error page.
func TestPanic(t *testing.T) {
	w := shelltest.New()
	sh, err := shell.New(shell.Options{
		BaseURL: baseURL, WildcardHost: wildcard, Accounts: panics{shelltest.People{World: w}}, Login: shelltest.People{World: w},
		Setup: shelltest.Office{World: w}, Settings: shelltest.Office{World: w}, Apps: shelltest.Shelf{World: w}, Grains: shelltest.Barn{World: w}, Events: w,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/grain", nil)
	r.AddCookie(&http.Cookie{Name: "__Host-sandstorm-session", Value: w.SignIn("Alice")})
	rec := httptest.NewRecorder()
	sh.ServeHTTP(rec, r)
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "boom") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

type panics struct{ shelltest.People }

func (panics) Authenticate(context.Context, sandstorm.Secret) (*sandstorm.Account, error) {
	panic("boom")
}
