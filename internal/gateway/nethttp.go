package gateway

import (
	"errors"
	"net/http"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

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
		g.serveGrain(w, r, route.Session)
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

// serveGrain lets serveSession look at a request of net/http.
func (g *Gateway) serveGrain(w http.ResponseWriter, r *http.Request, host sandstorm.HostID) {
	var req bridge.Request
	fields := fieldPool.Get().(*[]bridge.Field)
	defer func() {
		clear(req.Fields)
		*fields = req.Fields[:0]
		fieldPool.Put(fields)
	}()
	req.Fields = *fields
	bridge.FromHTTP(&req, w, r)
	err := g.serveSession(r.Context(), &req, host, bridge.NewHTTPSink(w, r))
	switch {
	case errors.Is(err, bridge.ErrAborted):
		panic(http.ErrAbortHandler)
	case err != nil:
		g.problem(w, r, err)
	}
}
