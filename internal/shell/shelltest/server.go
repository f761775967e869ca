package shelltest

import (
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/shell"
)

// NewShell makes a shell over the world.
func NewShell(w *World, baseURL, wildcard string, log *slog.Logger) (*shell.Shell, error) {
	return newShell(w, baseURL, wildcard, log, false)
}

func newShell(w *World, baseURL, wildcard string, log *slog.Logger, pseudo bool) (*shell.Shell, error) {
	return shell.New(shell.Options{
		BaseURL: baseURL, WildcardHost: wildcard,
		Accounts: People{w}, Login: People{w}, Setup: Office{w}, Settings: Office{w},
		Apps: Shelf{w}, Grains: Barn{w}, Events: w, Log: log, Now: w.Now, Release: "0.0-test", PseudoLocales: pseudo,
	})
}

// Server shows a world to real browsers: the shell, the static host and a fake
// app at every session's host.
type Server struct {
	World *World
	Shell *shell.Shell
	URL   string
	http  *http.Server
}

// Serve starts a server on a loopback port; 0 chooses one.
func Serve(w *World, port int, log *slog.Logger) (*Server, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	host := fmt.Sprintf("sandstorm.localhost:%d", l.Addr().(*net.TCPAddr).Port)
	s := &Server{World: w, URL: "http://" + host}
	if s.Shell, err = newShell(w, s.URL, "*."+host, log, true); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	static := s.Shell.Static()
	s.http = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Host == host:
			s.Shell.ServeHTTP(rw, r)
		case r.Host == "static."+host:
			static.ServeHTTP(rw, r)
		case strings.HasPrefix(r.Host, "ui-"):
			s.serveGrain(rw, r)
		default:
			s.Shell.ErrorPage(rw, r, http.StatusNotFound, "page.not-found", nil, "")
		}
	})}
	go func() { _ = s.http.Serve(l) }() // ends with Close
	return s, nil
}

// Close ends the server and all its connections.
func (s *Server) Close() error { return s.http.Close() }

// serveGrain is a gateway and an app in one: it checks the session as the
// gateway does and serves a page that tests can talk to.
func (s *Server) serveGrain(w http.ResponseWriter, r *http.Request) {
	label, _, _ := strings.Cut(strings.TrimPrefix(r.Host, "ui-"), ".")
	host := sandstorm.HostID(label)
	s.World.Lock()
	id, known := s.World.Sessions[host]
	title := ""
	if g := s.World.Grains[id]; g != nil {
		title = g.Title
	}
	s.World.Unlock()
	if !known {
		s.Shell.ErrorPage(w, r, http.StatusNotFound, "session.ended", nil, "")
		return
	}
	if r.URL.Path == "/_sandstorm-init" {
		session, ok := sandstorm.ParseSessionID(r.URL.Query().Get("sessionid"))
		if !ok || !session.Opens(host) {
			http.Error(w, "bad session", http.StatusForbidden)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "sandstorm-sid", Value: session.Reveal(), HttpOnly: true, Path: "/"})
		w.Header().Set("Location", r.URL.Query().Get("path"))
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	if c, err := r.Cookie("sandstorm-sid"); err != nil {
		http.Error(w, "no session", http.StatusForbidden)
		return
	} else if session, ok := sandstorm.ParseSessionID(c.Value); !ok || !session.Opens(host) {
		http.Error(w, "wrong session", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, grainPage, html.EscapeString(title), html.EscapeString(title), html.EscapeString(r.URL.RequestURI()))
}

const grainPage = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>%s</title>
<style>body{font:16px/1.6 system-ui,sans-serif;margin:0;background:#fffdf7;color:#2b2b2b}main{max-width:44rem;margin:0 auto;padding:2.5rem 1.5rem}textarea{width:100%%;box-sizing:border-box;height:14rem;font:inherit;padding:1rem;border:1px solid #ddd;border-radius:8px}</style>
<main><h1>%s</h1><p>Path: <code id="path">%s</code> <code id="hash"></code></p><label>Notes<textarea id="text">- dig over the bed by the wall
- order seed potatoes (early ones)
- ask Jonas about the greenhouse</textarea></label><p id="heard"></p></main>
<script>
// The page does what a test asks it to, and tells what it was told.
const born = String(Math.random());
const heard = [];
document.getElementById('hash').textContent = location.hash;
addEventListener('message', (e) => {
  if (!('ask' in e.data)) { heard.push(e.data); return; }
  if ('send' in e.data) parent.postMessage(e.data.send, e.data.to ?? '*');
  const at = location.pathname + location.search + location.hash;
  parent.postMessage({ answer: e.data.ask, value: { born, at, heard, text: document.getElementById('text').value } }, '*');
});
</script></html>`
