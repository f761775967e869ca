package shell

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"text/template/parse"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/locale"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pages are all page templates in all languages: one set per language, because
// functions shared between languages once gave people each other's.
type pages struct {
	byLocale map[string]map[string]*template.Template
}

// page is what a handler wants drawn.
type page struct {
	Name  string // of the template
	Title string
	Nav   string // which entry of the menu is current; also the page's kind for the style sheet
	Live  string // space-separated events after which the page should be fetched again
	Data  any
}

// view is what templates see.
type view struct {
	page
	Locale  *locale.Locale
	Locales []*locale.Locale
	Server  string // the server's title
	Theme   string // "light", "dark" or empty for the system's
	Version string // of our static files
	Path    string // of this page, for forms that come back
	Account *sandstorm.Account
	Picture string // address of the account's picture
	Flash   *flash
	Static  string // where our static files are, with a slash at the end
	Menu    bool   // the page has the menu beside it
	Frames  *frame // a grain's frame in the page itself, for browsers without script
}

// partials are files that every page may use.
var partials = []string{"templates/layout.html", "templates/parts.html"}

func (s *Shell) parsePages() (*pages, error) {
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	p := &pages{byLocale: map[string]map[string]*template.Template{}}
	for _, loc := range s.locales.Locales() {
		set := map[string]*template.Template{}
		base, err := template.New("layout.html").Funcs(s.funcs(loc)).Option("missingkey=error").ParseFS(templateFiles, partials...)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if name == partials[0] || name == partials[1] {
				continue
			}
			t, err := template.Must(base.Clone()).ParseFS(templateFiles, name) // it was not executed yet
			if err != nil {
				return nil, fmt.Errorf("template %s: %w", name, err)
			}
			for _, part := range t.Templates() {
				if err := checkKeys(part.Tree, loc); err != nil {
					return nil, fmt.Errorf("template %s (%s): %w", name, loc.Tag, err)
				}
			}
			set[strings.TrimSuffix(strings.TrimPrefix(name, "templates/"), ".html")] = t
		}
		p.byLocale[loc.Tag] = set
	}
	return p, nil
}

// checkKeys finds every message and icon that a template names by a constant
// and fails if one is missing.
func checkKeys(tree *parse.Tree, loc *locale.Locale) error {
	if tree == nil {
		return nil
	}
	var err error
	walk(tree.Root, func(c *parse.CommandNode) {
		if len(c.Args) < 2 || err != nil {
			return
		}
		fn, ok1 := c.Args[0].(*parse.IdentifierNode)
		key, ok2 := c.Args[1].(*parse.StringNode)
		if !ok1 || !ok2 {
			return
		}
		switch fn.Ident {
		case "t", "tn":
			if !loc.Has(key.Text) {
				err = fmt.Errorf("message %q is missing", key.Text)
			}
		case "icon":
			if icons[key.Text] == "" {
				err = fmt.Errorf("icon %q is missing", key.Text)
			}
		}
	})
	return err
}

// walk visits all commands below a node.
func walk(n parse.Node, visit func(*parse.CommandNode)) {
	branch := func(b parse.BranchNode) {
		walk(b.Pipe, visit)
		walk(b.List, visit)
		if b.ElseList != nil {
			walk(b.ElseList, visit)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, c := range n.Nodes {
			walk(c, visit)
		}
	case *parse.ActionNode:
		walk(n.Pipe, visit)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			walk(n.Pipe, visit)
		}
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			walk(c, visit)
		}
	case *parse.CommandNode:
		visit(n)
		for _, a := range n.Args {
			walk(a, visit)
		}
	case *parse.IfNode:
		branch(n.BranchNode)
	case *parse.RangeNode:
		branch(n.BranchNode)
	case *parse.WithNode:
		branch(n.BranchNode)
	}
}

// render draws a page into memory first, so that a failure in its middle
// becomes an error page and not half a page.
func (s *Shell) render(q *request, p page) error {
	settings, err := s.Settings.Get(q.r.Context())
	if err != nil {
		if q.status == 0 {
			return err
		}
		settings = ServerSettings{} // this is an error page already
	}
	v := view{
		page: p, Locale: q.loc, Locales: s.locales.Locales(), Server: settings.Title,
		Theme: s.theme(q.r), Version: s.assets.version, Static: s.assets.url(""),
		Path: q.r.URL.RequestURI(), Account: q.account, Flash: s.takeFlash(q),
	}
	if v.Server == "" {
		v.Server = s.base.Hostname()
	}
	v.Menu = q.account != nil && p.Nav != "setup"
	if q.account != nil {
		v.Picture = s.accountPicture(q.account)
	}
	if f, ok := p.Data.(interface{ embedded() *frame }); ok {
		v.Frames = f.embedded()
	}
	t := s.pages.byLocale[q.loc.Tag][p.Name]
	if t == nil {
		return fmt.Errorf("no template %q", p.Name)
	}
	var buf bytes.Buffer
	if err := t.Execute(&buf, v); err != nil {
		return fmt.Errorf("template %s: %w", p.Name, err)
	}
	h := q.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", q.loc.Tag)
	h.Add("Vary", "Accept-Language, Cookie")
	status := q.status
	if status == 0 {
		status = http.StatusOK
	}
	q.w.WriteHeader(status)
	if q.r.Method != http.MethodHead {
		_, _ = q.w.Write(buf.Bytes()) // the reader may have gone away
	}
	return nil
}
