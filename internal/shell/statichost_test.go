package shell_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

func TestStaticHost(t *testing.T) {
	world := shelltest.New()
	s := newSite(t, world, "")
	h := s.shell.Static()
	do := func(method, path, etag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		if etag != "" {
			r.Header.Set("If-None-Match", etag)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	asset := "/" + string(world.AppByTitle("Notes").Manifest.Metadata.Icons.AppGrid.Asset)
	const hash = "/identicon/0123456789abcdef0123456789abcdef"
	for _, c := range []struct {
		method, path, etag string
		status             int
	}{
		{"GET", asset, "", 200},
		{"HEAD", asset, "", 200},
		{"GET", asset, "permanent", 304},
		{"GET", hash, "", 200},
		{"GET", hash + "?s=64", "", 200},
		{"GET", hash + "?s=99999", "", 400},
		{"GET", hash + "?s=x", "", 400},
		{"GET", "/identicon/xyz", "", 404},
		{"GET", "/identicon/0123456789abcdef0123456789abcde", "", 404},
		{"GET", "/" + strings.Repeat("0", 64), "", 404},
		{"GET", "/", "", 404},
		{"GET", "/../../etc/passwd", "", 404},
		{"OPTIONS", asset, "", 204},
		{"POST", asset, "", 405},
		{"DELETE", asset, "", 405},
	} {
		w := do(c.method, c.path, c.etag)
		if w.Code != c.status {
			t.Errorf("%s %s: %d instead of %d", c.method, c.path, w.Code, c.status)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy":     "default-src 'none'; style-src 'unsafe-inline'; sandbox",
			"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s %s: %s: %q", c.method, c.path, name, got)
			}
		}
		if w.Code == 200 || w.Code == 304 {
			if w.Header().Get("ETag") != "permanent" || w.Header().Get("Cache-Control") != "public, max-age=31536000" {
				t.Errorf("%s %s: not permanent: %v", c.method, c.path, w.Header())
			}
		}
	}
}

// The picture of a known hash, cell by cell (shell.md §9).
func TestIdenticon(t *testing.T) {
	s := newSite(t, shelltest.New(), "")
	w := httptest.NewRecorder()
	// Even digits at 0 (middle, row 0), 6 (columns 1 and 3, row 1), 14 (columns 0 and 4, row 4).
	s.shell.Static().ServeHTTP(w, httptest.NewRequest("GET", "/identicon/01111101111111011111111110000000?s=100", nil))
	got := w.Body.String()
	for _, want := range []string{
		`fill="rgb(240,240,240)"`, `fill="rgb(216,140,140)"`,
		`<rect x="42" y="10" width="16" height="16"/>`,
		`<rect x="26" y="26"`, `<rect x="58" y="26"`, `<rect x="10" y="74"`, `<rect x="74" y="74"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %s: %s", want, got)
		}
	}
	if n := strings.Count(got, "<rect x="); n != 5 {
		t.Errorf("%d cells: %s", n, got)
	}
}

// The error page of grain hosts brings all it needs, in the browser's language.
func TestErrorPage(t *testing.T) {
	s := newSite(t, shelltest.New(), "")
	r := httptest.NewRequest("GET", "https://ui-x.example.com/", nil)
	r.Header.Set("Accept-Language", "fr")
	w := httptest.NewRecorder()
	w.Header().Set("X-Frame-Options", "DENY")
	s.shell.ErrorPage(w, r, http.StatusForbidden, "request.cross-origin", map[string]string{"x": "<script>"}, "abc123")
	body := w.Body.String()
	if w.Code != 403 || !strings.Contains(body, "autre site") || !strings.Contains(body, "abc123") || !strings.Contains(body, `lang="fr"`) {
		t.Errorf("%d %s", w.Code, body)
	}
	csp := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(csp, "style-src 'sha256-") || !strings.Contains(csp, "frame-ancestors https://example.com") || strings.Contains(body, "<script") {
		t.Errorf("%s", csp)
	}
	w = httptest.NewRecorder()
	s.shell.ErrorPage(w, r, http.StatusServiceUnavailable, "no.such.key", nil, "")
	if body := w.Body.String(); strings.Contains(body, "no.such.key") {
		t.Errorf("key shown: %s", body)
	}
}
