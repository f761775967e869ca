// Package gateway is the only door for HTTP: it decides by the host name who
// serves a request, checks that the browser holds the session that the host
// belongs to, refuses requests that other sites made, and sets the fields that
// keep grains apart (gateway.md §2–§4, §12, §16).
//
// The way of a request: Gateway.ServeHTTP routes by hostname.go; a session's
// host goes on to serveSession (session.go), which checks crosssite.go, then
// cookie and session, and hands over to the bridge. Rules look only at
// bridge.Request; net/http is confined to gateway.go, pages.go and server.go.
package gateway

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

// Options configure a Gateway. BaseURL, WildcardHost, Shell and Sessions must
// be set.
type Options struct {
	BaseURL      string // scheme://host[:port], see config BASE_URL
	WildcardHost string // host pattern with one *, see config WILDCARD_HOST
	Shell        http.Handler
	Static       http.Handler // the static. host; nil answers 404
	Sessions     SessionSource
	// StrictCSP also limits where an app's page may load from; it is the
	// opposite of config ALLOW_LEGACY_RELAXED_CSP.
	StrictCSP bool
	// ErrorPage writes a page for people; nil means plain English.
	ErrorPage func(w http.ResponseWriter, r *http.Request, p *Problem)
	// MaxInFlight bounds the requests of one session at a time; 0 means 256.
	MaxInFlight int
	Log         *slog.Logger // nil: nothing is logged
}

// Gateway is the server's HTTP handler.
type Gateway struct {
	opts       Options
	hosts      *Hosts
	base       address // where the shell is
	baseOrigin string
	sameSite   bool // of shell and session hosts
	visits     visits
}

// New checks the options and makes a Gateway.
func New(opts Options) (*Gateway, error) {
	hosts, err := NewHosts(opts.BaseURL, opts.WildcardHost)
	if err != nil {
		return nil, err
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.ErrorPage == nil {
		opts.ErrorPage = plainErrorPage
	}
	if opts.MaxInFlight == 0 {
		opts.MaxInFlight = 256
	}
	g := &Gateway{
		opts: opts, hosts: hosts,
		base: hosts.base, baseOrigin: hosts.BaseOrigin(), sameSite: hosts.SameSite(),
	}
	g.visits.max = opts.MaxInFlight
	return g, nil
}

// Hosts returns the host names that the gateway serves.
func (g *Gateway) Hosts() *Hosts { return g.hosts }

// ServeHTTP routes by host name (gateway.md §2).
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := true // of a grain's response we do not know
	defer g.recoverPanic(w, r, &begun)
	switch route := g.hosts.Route(r.Host); route.Kind {
	case RouteShell:
		setClientAddr(r)
		g.serveOwn(w, r, g.opts.Shell)
	case RouteStatic:
		if g.opts.Static == nil {
			g.problem(w, r, notFound("gateway.not-found"))
			return
		}
		g.serveOwn(w, r, g.opts.Static)
	case RouteSelfTest:
		serveSelfTest(w, r)
	case RouteAPI:
		g.problem(w, r, notFound("gateway.no-api"))
	case RouteSession:
		g.serveSession(w, r, route.Session)
	default:
		g.problem(w, r, (&sandstorm.Error{Kind: sandstorm.NotFound, Key: "gateway.unknown-host"}).With("url", g.baseOrigin))
	}
}

// Redirect is the handler of the alternate ports (gateway.md §1): every request
// to a host of ours goes to the same place at the main address. The method is
// kept (308).
func (g *Gateway) Redirect() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, ok := g.hosts.Canonical(r.Host)
		if !ok || !strings.HasPrefix(r.RequestURI, "/") {
			g.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h["Permissions-Policy"] = permissionsPolicy
		h.Set("Location", g.base.scheme+"://"+host+r.RequestURI)
		h.Set("Content-Length", "0")
		w.WriteHeader(http.StatusPermanentRedirect)
	})
}

// serveSelfTest lets the admin page find out whether wildcard hosts arrive here
// (gateway.md §2).
func serveSelfTest(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Permissions-Policy"] = permissionsPolicy
	h.Set("Content-Type", "text/plain")
	if r.Method != http.MethodGet || r.URL.Path != "/" {
		http.Error(w, "Bad request.", http.StatusBadRequest)
		return
	}
	h.Set("Access-Control-Allow-Origin", "*")
	w.Write([]byte("Self-test OK."))
}

func notFound(key string) *sandstorm.Error {
	return &sandstorm.Error{Kind: sandstorm.NotFound, Key: key}
}
