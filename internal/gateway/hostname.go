package gateway

import (
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/sandstorm-go/sandstorm"
)

// address is a scheme, a host name in lower case and a port, which is empty if
// it is the scheme's own.
type address struct{ scheme, host, port string }

// String is the origin.
func (a address) String() string { return a.scheme + "://" + joinPort(a.host, a.port) }

func joinPort(host, port string) string {
	if port == "" {
		return host
	}
	return host + ":" + port
}

// Hosts knows which host names are ours.
type Hosts struct {
	base           address
	prefix, suffix string // around the * of the wildcard host
	port           string // of the wildcard hosts; empty: the scheme's own
}

// RouteKind says who serves a host.
type RouteKind uint8

// The kinds of host (gateway.md §2).
const (
	RouteForeign  RouteKind = iota // not ours
	RouteShell                     // the base host
	RouteStatic                    // static.
	RouteAPI                       // api. and api-…
	RouteSelfTest                  // selftest-…
	RouteSession                   // ui-…: a grain session
)

// Route is who serves a request.
type Route struct {
	Kind    RouteKind
	Session sandstorm.HostID // of RouteSession
}

// NewHosts reads the settings BASE_URL and WILDCARD_HOST (gateway.md §1).
func NewHosts(baseURL, wildcard string) (*Hosts, error) {
	base, ok := parseBase(baseURL)
	if !ok {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "config.base-url",
			"BASE_URL %q must be http:// or https:// with a host name, perhaps a port, and no path", baseURL)
	}
	host, port, ok := splitHost(strings.Replace(wildcard, "*", "0", 1))
	before, after, found := strings.Cut(wildcard, "*")
	if !ok || !found || strings.Contains(after, "*") || strings.Contains(before, ".") ||
		!strings.Contains(after, ".") || !isHostName(host) {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "config.wildcard-host",
			"WILDCARD_HOST %q must be a host name whose first part holds the only *, such as *.example.com", wildcard)
	}
	h := &Hosts{base: base, prefix: strings.ToLower(before), port: ownPort(port, base.scheme)}
	h.suffix = host[len(before)+1:]
	return h, nil
}

func parseBase(s string) (address, bool) {
	scheme, rest, ok := strings.Cut(strings.TrimSuffix(s, "/"), "://")
	scheme = strings.ToLower(scheme)
	host, port, valid := splitHost(rest)
	if !ok || !valid || (scheme != "http" && scheme != "https") || !isHostName(host) && !isAddressLiteral(host) {
		return address{}, false
	}
	return address{scheme, host, ownPort(port, scheme)}, true
}

// ownPort is empty for a scheme's default port.
func ownPort(port, scheme string) string {
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		return ""
	}
	return port
}

// Route decides by a request's Host. Case, a trailing dot and the port do not
// matter: a name is ours or it is not, and front proxies disagree about ports.
func (h *Hosts) Route(hostport string) Route {
	host, _, ok := splitHost(hostport)
	if !ok {
		return Route{}
	}
	if host == h.base.host {
		return Route{Kind: RouteShell}
	}
	id, ok := h.under(host)
	switch {
	case !ok:
		return Route{}
	case strings.HasPrefix(id, "ui-"):
		if session, ok := sandstorm.ParseHostID(id[3:]); ok {
			return Route{RouteSession, session}
		}
	case id == "static":
		return Route{Kind: RouteStatic}
	case id == "api" || strings.HasPrefix(id, "api-"):
		return Route{Kind: RouteAPI}
	case strings.HasPrefix(id, "selftest-"):
		return Route{Kind: RouteSelfTest}
	}
	return Route{}
}

// under returns what stands for the * in host.
func (h *Hosts) under(host string) (id string, ok bool) {
	if len(host) <= len(h.prefix)+len(h.suffix) || !strings.HasPrefix(host, h.prefix) || !strings.HasSuffix(host, h.suffix) {
		return "", false
	}
	id = host[len(h.prefix) : len(host)-len(h.suffix)]
	return id, isLabel(id)
}

// Canonical returns the host and port under which a host of ours should be
// asked for.
func (h *Hosts) Canonical(hostport string) (string, bool) {
	host, _, ok := splitHost(hostport)
	if !ok {
		return "", false
	}
	if host == h.base.host {
		return joinPort(host, h.base.port), true
	}
	if _, ok := h.under(host); !ok {
		return "", false
	}
	return joinPort(host, h.port), true
}

// Origin is the origin of a host under the wildcard, such as "static" or
// "ui-" and a host id: scheme://host[:port].
func (h *Hosts) Origin(id string) string {
	return h.base.scheme + "://" + joinPort(h.prefix+id+h.suffix, h.port)
}

// SessionOrigin is the origin of a grain session's host.
func (h *Hosts) SessionOrigin(id sandstorm.HostID) string { return h.Origin("ui-" + string(id)) }

// BaseOrigin is the origin of the shell.
func (h *Hosts) BaseOrigin() string { return h.base.String() }

// WildcardSource is the CSP source that matches every host under the wildcard.
// CSP knows no prefix, so ss-*.x becomes *.x.
func (h *Hosts) WildcardSource() string {
	parent := h.suffix[strings.IndexByte(h.suffix, '.'):]
	return h.base.scheme + "://" + joinPort("*"+parent, h.port)
}

// SameSite reports whether session hosts and the shell share a site (the part
// of a name that is registered), so that ordinary cookies work in frames.
func (h *Hosts) SameSite() bool {
	base, err := publicsuffix.EffectiveTLDPlusOne(h.base.host)
	other, err2 := publicsuffix.EffectiveTLDPlusOne(h.prefix + "x" + h.suffix)
	return err == nil && err2 == nil && base == other
}
