package browsertest

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// The helpers themselves: a page that is not accessible, a frame of another
// origin, cookies that do not leak between pages.
func TestBrowser(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`<!doctype html><html lang=en><title>Frame</title><h1>Frame</h1>`))
	}))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/bad" {
			w.Write([]byte(`<!doctype html><html><title>Bad</title><img src=/x.png><div style="width: 5000px">x</div>`))
			return
		}
		w.Write([]byte(`<!doctype html><html lang=en><meta name=viewport content="width=device-width"><title>Good</title><main><h1>Good</h1><iframe title=Frame src="http://frame.example:` + port(other.URL) + `/"></iframe></main>`))
	}))
	defer server.Close()

	b := Start(t, Options{})
	p := b.Page(t, server.URL)
	p.Visit("/")
	p.Inspect("good")
	frame := p.Target("iframe", "http://frame.example:")
	frame.Wait(`document.querySelector("h1").textContent === %s`, "Frame")

	p.SetCookie("who", "p")
	p.Tab().Visit("/")
	if n := len(p.Tab().Cookies()); n != 1 {
		t.Errorf("a tab has %d cookies", n)
	}
	if n := len(b.Page(t, server.URL).Cookies()); n != 0 {
		t.Errorf("another page has %d cookies", n)
	}

	report := &recorder{TB: t}
	bad := b.Page(t, server.URL)
	bad.Visit("/bad")
	bad.TB = report
	bad.Inspect("bad", Looks[0])
	if report.errors < 3 { // no language, no text for the picture, too wide
		t.Errorf("%d complaints about a bad page", report.errors)
	}
}

func port(url string) string {
	for i := len(url) - 1; ; i-- {
		if url[i] == ':' {
			return url[i+1:]
		}
	}
}

// recorder counts errors instead of failing.
type recorder struct {
	testing.TB
	errors int
}

func (r *recorder) Errorf(string, ...any) { r.errors++ }
