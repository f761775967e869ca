package shell_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/sandstorm-go/sandstorm/internal/shell"
	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

const (
	baseURL  = "https://example.com"
	wildcard = "*.example.com"
)

// site is a shell over a world, as one browser sees it.
type site struct {
	*testing.T
	world   *shelltest.World
	shell   *shell.Shell
	cookies map[string]string
	lang    string
}

func newSite(t *testing.T, world *shelltest.World, who string) *site {
	t.Helper()
	sh, err := shelltest.NewShell(world, baseURL, wildcard, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, world: world, shell: sh, cookies: map[string]string{}, lang: "en"}
	if who != "" {
		s.cookies["__Host-sandstorm-session"] = world.SignIn(who)
	}
	return s
}

// answer is a response with its parsed body.
type answer struct {
	*httptest.ResponseRecorder
	doc *html.Node
}

// do sends a request with the cookies that the site set so far. edit may be nil.
func (s *site) do(method, target, body string, edit func(*http.Request)) answer {
	s.Helper()
	r := httptest.NewRequest(method, baseURL+target, strings.NewReader(body))
	r.Header.Set("Accept-Language", s.lang)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Origin", baseURL)
	}
	for name, value := range s.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if edit != nil {
		edit(r)
	}
	w := httptest.NewRecorder()
	s.shell.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(s.cookies, c.Name)
		} else {
			s.cookies[c.Name] = c.Value
		}
	}
	a := answer{ResponseRecorder: w}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		doc, err := html.Parse(strings.NewReader(w.Body.String()))
		if err != nil {
			s.Fatal(err)
		}
		a.doc = doc
	}
	return a
}

func (s *site) get(target string) answer { s.Helper(); return s.do(http.MethodGet, target, "", nil) }

func (s *site) post(target string, form url.Values) answer {
	s.Helper()
	return s.do(http.MethodPost, target, form.Encode(), nil)
}

// json posts a JSON body, as the page's script does.
func (s *site) json(target, body string) answer {
	s.Helper()
	return s.do(http.MethodPost, target, body, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json")
	})
}

// follow posts a form and goes where it leads.
func (s *site) follow(target string, form url.Values) answer {
	s.Helper()
	a := s.post(target, form)
	if a.Code != http.StatusSeeOther {
		s.Fatalf("POST %s: %d %s", target, a.Code, a.text("main"))
	}
	return s.get(a.Header().Get("Location"))
}

// want checks the status.
func (s *site) want(a answer, status int) answer {
	s.Helper()
	if a.Code != status {
		s.Fatalf("status %d instead of %d: %s", a.Code, status, a.text("main"))
	}
	return a
}

// leads checks a redirect.
func (s *site) leads(a answer, to string) {
	s.Helper()
	if a.Code != http.StatusSeeOther || a.Header().Get("Location") != to {
		s.Fatalf("%d %q instead of a redirect to %q: %s", a.Code, a.Header().Get("Location"), to, a.text("main"))
	}
}

// all finds the elements that match a name, "#id", ".class" or "name[attr]".
func (a answer) all(selector string) []*html.Node {
	var out []*html.Node
	var visit func(*html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.ElementNode && match(n, selector) {
			out = append(out, n)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
	}
	if a.doc != nil {
		visit(a.doc)
	}
	return out
}

func match(n *html.Node, selector string) bool {
	switch {
	case selector == "":
		return true
	case selector[0] == '#':
		return attr(n, "id") == selector[1:]
	case selector[0] == '.':
		for _, c := range strings.Fields(attr(n, "class")) {
			if c == selector[1:] {
				return true
			}
		}
		return false
	}
	name, a, ok := strings.Cut(strings.TrimSuffix(selector, "]"), "[")
	if name != "" && n.Data != name {
		return false
	}
	return !ok || hasAttr(n, a)
}

func hasAttr(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is the text of all elements that match, with single spaces.
func (a answer) text(selector string) string {
	if a.doc == nil {
		return a.Body.String()
	}
	var b strings.Builder
	var visit func(*html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
	}
	for _, n := range a.all(selector) {
		visit(n)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// has checks that a page says something.
func (s *site) has(a answer, texts ...string) {
	s.Helper()
	for _, t := range texts {
		if !strings.Contains(a.text("body"), t) {
			s.Errorf("page does not say %q: %s", t, a.text("main"))
		}
	}
}
