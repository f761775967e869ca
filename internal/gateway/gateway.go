// Package gateway is the only door for HTTP: it decides by the host name who
// serves a request, checks that the browser holds the session that the host
// belongs to, refuses requests that other sites made, and sets the fields that
// keep grains apart (gateway.md §2–§4, §12, §16).
//
// The way of a request: ServeHTTP (nethttp.go) routes by hostname.go; a session's
// host goes on to serveSession (session.go), which asks crosssite.go, checks
// cookie and session, and hands over to the bridge. All that decides looks only
// at bridge.Request and writes to a bridge.Sink: another HTTP server needs its
// own nethttp.go, and nothing else, to serve grains.
package gateway

import (
	"log/slog"
	"net/http"

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

func notFound(key string) *sandstorm.Error {
	return &sandstorm.Error{Kind: sandstorm.NotFound, Key: key}
}
