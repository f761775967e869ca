// Package shell is the pages that people see around their grains: sign-in,
// apps, the grain list, the grain page with its frame, account and set-up. It
// draws and translates; what is allowed is decided by the rules in services.go.
//
// Every page is a server-rendered document that works without script. static/
// holds a few ES modules that make it quicker: nav.js swaps <main> instead of
// loading pages, so that grain frames, which live beside <main>, stay alive.
//
// The way of a request: ServeHTTP (headers, request id) → CSRF check → routes.go
// → handle (who asks, in which language) → one file per page → render.go.
package shell

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/locale"
)

// Options are what a Shell needs. All services are required.
type Options struct {
	BaseURL      string // scheme://host[:port] of the shell itself
	WildcardHost string // pattern with one *, for example "*.example.com:6080"

	Accounts Accounts
	Login    Login
	Setup    Setup
	Settings Settings
	Apps     Apps
	Grains   Grains
	Events   Events

	Log      *slog.Logger                 // default: discards
	Now      func() time.Time             // default: time.Now
	ClientIP func(r *http.Request) string // default: the peer's address
	Release  string                       // of this server, for the about page

	// PseudoLocales adds the two pseudo-languages, for tests and development.
	PseudoLocales bool
}

// Shell serves the base host and the static host.
type Shell struct {
	Options
	base      *url.URL
	locales   *locale.Catalogue
	pages     *pages
	assets    *assets
	csp       string
	imageHost string // scheme://static.wildcard
	handler   http.Handler
	streams   streamLimit
}

// New checks the options, parses all templates in all languages and fails if
// anything is missing.
func New(o Options) (*Shell, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ClientIP == nil {
		o.ClientIP = peerIP
	}
	s := &Shell{Options: o}
	var err error
	if s.base, err = parseBase(o.BaseURL); err != nil {
		return nil, err
	}
	if strings.Count(o.WildcardHost, "*") != 1 || strings.ContainsAny(o.WildcardHost, "/ ;,'\"") {
		return nil, fmt.Errorf("shell: wildcard host %q: must be a host name with one *", o.WildcardHost)
	}
	if o.Accounts == nil || o.Login == nil || o.Setup == nil || o.Settings == nil ||
		o.Apps == nil || o.Grains == nil || o.Events == nil {
		return nil, errors.New("shell: a service is missing")
	}
	s.imageHost = s.base.Scheme + "://" + s.host("static")
	s.csp = contentSecurityPolicy(s.base.Scheme, o.WildcardHost, s.imageHost)
	if s.locales, err = locale.Load(); err != nil {
		return nil, fmt.Errorf("shell: %w", err)
	}
	if o.PseudoLocales {
		if err := s.locales.AddPseudo(); err != nil {
			return nil, fmt.Errorf("shell: %w", err)
		}
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, fmt.Errorf("shell: %w", err)
	}
	if s.pages, err = s.parsePages(); err != nil {
		return nil, fmt.Errorf("shell: %w", err)
	}
	s.handler = s.protect(s.routes())
	return s, nil
}

func parseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("shell: base URL %q: must be http(s)://host", raw)
	}
	return u, nil
}

// host is the wildcard host with label in the place of the star.
func (s *Shell) host(label string) string {
	return strings.Replace(s.WildcardHost, "*", label, 1)
}

// origin is the shell's own origin.
func (s *Shell) origin() string { return s.base.Scheme + "://" + s.base.Host }

// secure reports whether browsers reach us by https.
func (s *Shell) secure() bool { return s.base.Scheme == "https" }

// ServeHTTP serves the base host.
func (s *Shell) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func peerIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
