package gateway

import (
	"context"
	"errors"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// SessionSource knows the grain sessions.
type SessionSource interface {
	// Open returns what is needed to serve a request to the session's host,
	// starting the grain if it does not run. It is called once per request,
	// after the browser has proved that it holds the session, and must be cheap
	// for a session that was opened before. A session that was revoked is
	// refused from the next call on; what is under way is cut by closing its
	// bridge.Session. Errors are *sandstorm.Error: NotFound if the session
	// ended, Denied, Conflict (in the trash), Unavailable (cannot start), ….
	Open(ctx context.Context, host sandstorm.HostID) (OpenSession, error)
}

// OpenSession is a session whose grain runs.
type OpenSession struct {
	Bridge *bridge.Session // the same pointer for each request, for the limits
	App    *bridge.App
	// ParentOrigin is the shell origin that may frame the app; empty means the
	// base URL's.
	ParentOrigin string
}

// serveSession serves a grain session's host. An error other than
// bridge.ErrAborted means that out was not touched.
func (g *Gateway) serveSession(ctx context.Context, req *bridge.Request, host sandstorm.HostID, out bridge.Sink) error {
	if err := g.checkSite(req, host); err != nil {
		return err
	}
	if path, query, _ := strings.Cut(req.Target, "?"); path == initPath {
		return g.serveInit(req, query, host, out)
	}
	if err := checkCookie(req.Fields, host); err != nil {
		return err
	}
	v, err := g.visits.enter(host)
	if err != nil {
		return err
	}
	defer g.visits.leave(v)
	// If the grain stopped before the app saw anything of the request, it is
	// started again, once.
	for again := false; ; again = true {
		s, err := g.opts.Sessions.Open(ctx, host)
		if err != nil {
			return err
		}
		req.ThirdParty, req.Always = !g.sameSite, g.fieldsFor(v, s.ParentOrigin, host)
		err = s.App.Serve(ctx, req, s.Bridge, out)
		var failure *bridge.Failure
		if again || !errors.As(err, &failure) || !failure.Unsent {
			return err
		}
	}
}

// checkCookie makes sure that the browser holds the secret of this very host
// (gateway.md §3). A sibling grain can plant a cookie of the same name for the
// parent domain: any one that matches will do, none other counts.
func checkCookie(fields []bridge.Field, host sandstorm.HostID) error {
	opens := func(value string) bool {
		id, ok := sandstorm.ParseSessionID(value)
		return ok && id.Opens(host)
	}
	for _, f := range fields {
		if len(f.Name) == 6 && strings.EqualFold(f.Name, "Cookie") && bridge.SessionCookies(f.Value, opens) {
			return nil
		}
	}
	return sandstorm.Errorf(sandstorm.Denied, "session.no-cookie", "no session cookie for host %s", host.Short())
}
