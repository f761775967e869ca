package shell

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// problem is an error as a person is told of it.
type problem struct {
	Status  int    `json:"-"`
	Key     string `json:"key"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what would help, for the administrator
	Request string `json:"request,omitempty"`
}

// explain translates an error. Nothing of an internal one is shown but the
// request id, because messages leak paths and tokens.
func (s *Shell) explain(q *request, err error) problem {
	var e *sandstorm.Error
	if !errors.As(err, &e) || e.Kind == sandstorm.Internal {
		return problem{
			Status: http.StatusInternalServerError, Key: "internal",
			Message: q.loc.T("error.internal"), Request: q.id,
		}
	}
	p := problem{Status: e.Kind.HTTPStatus(), Key: e.Key, Message: q.loc.ErrorKey(e.Key, e.Kind, e.Args)}
	var start *host.StartError
	if errors.As(err, &start) {
		p.Hint = start.Hint
	}
	if p.Status >= 500 {
		p.Request = q.id
	}
	return p
}

// fail answers with an error: as a page, or as JSON to a script.
func (s *Shell) fail(q *request, err error) {
	if errors.Is(err, context.Canceled) && q.r.Context().Err() != nil {
		return // nobody is there to read it
	}
	p := s.explain(q, err)
	if p.Status >= 500 {
		s.Log.Error("page failed", "req", q.id, "path", q.r.URL.Path, "err", err)
	} else {
		s.Log.Debug("page refused", "req", q.id, "path", q.r.URL.Path, "err", err)
	}
	if q.wantsJSON() {
		_ = q.writeJSON(p.Status, map[string]problem{"error": p}) // problem always marshals
		return
	}
	q.status = p.Status
	if renderErr := s.render(q, page{Name: "error", Title: q.loc.T("errorpage.title"), Data: p}); renderErr != nil {
		s.Log.Error("error page failed", "req", q.id, "err", renderErr)
		s.ErrorPage(q.w, q.r, p.Status, "internal", nil, q.id)
	}
}

// errorStyle is the whole style of a self-contained error page: it must look
// right on a grain's host, where our style sheets are not.
const errorStyle = `:root{color-scheme:light dark;--bg:#faf9f7;--fg:#26221c;--dim:#6a6359}
@media(prefers-color-scheme:dark){:root{--bg:#171614;--fg:#ece8e1;--dim:#a8a095}}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--bg);color:var(--fg);font:16px/1.55 Inter,system-ui,sans-serif}
main{max-width:32rem;padding:2rem;text-align:center}h1{font-size:1.4rem;line-height:1.3;margin:0 0 .5rem;font-weight:600}
p{margin:.5rem 0;color:var(--dim);overflow-wrap:anywhere}code{font:13px ui-monospace,monospace}`

var errorTemplate = template.Must(template.New("error").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex"><title>{{.Title}}</title><style>` + errorStyle + `</style></head>
<body><main><h1>{{.Title}}</h1><p>{{.Message}}</p>{{if .Request}}<p>{{.RequestLabel}} <code>{{.Request}}</code></p>{{end}}</main></body></html>
`))

// errorCSP lets the page have its own style and nothing else. The shell frames
// grain hosts, so it may frame this.
func (s *Shell) errorCSP() string {
	sum := sha256.Sum256([]byte(errorStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors " + s.origin()
}

// ErrorPage writes a self-contained page, without script, in the browser's
// language: for the gateway, inside grain hosts and wherever no page of the
// shell can be drawn. key names a message of the error area and args its
// placeholders; reqID may be empty.
func (s *Shell) ErrorPage(w http.ResponseWriter, r *http.Request, status int, key string, args map[string]string, reqID string) {
	loc := s.locales.Match("", r.Header.Get("Accept-Language"))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", s.errorCSP())
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Del("X-Frame-Options") // frame-ancestors above says more
	h.Del("Content-Length")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_ = errorTemplate.Execute(w, map[string]string{ // the reader may have gone away
		"Lang": loc.Tag, "Dir": loc.Dir, "Title": loc.T("errorpage.title"),
		"Message": loc.ErrorKey(key, kindOfStatus(status), args),
		"Request": reqID, "RequestLabel": loc.T("errorpage.request"),
	})
}

// kindOfStatus names the message to show when there is none for the key.
func kindOfStatus(status int) sandstorm.Kind {
	for k := sandstorm.NotFound; k <= sandstorm.Unavailable; k++ {
		if k.HTTPStatus() == status {
			return k
		}
	}
	return sandstorm.Internal
}
