package gateway

import (
	"net/url"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// initPath is where a frame begins: it sets the session's cookie and goes on to
// the app's page (gateway.md §3).
const initPath = "/_sandstorm-init"

// maxInitQuery bounds the query, the deep link included.
const maxInitQuery = 16 << 10

// InitPath is path and query of a frame's first request: path is the app's path
// to show, with query, and fragment if any.
func InitPath(id sandstorm.SessionID, path string) string {
	return initPath + "?sessionid=" + id.Reveal() + "&path=" + url.QueryEscape(path)
}

// serveInit takes the secret out of the URL and into a cookie.
func (g *Gateway) serveInit(req *bridge.Request, query string, host sandstorm.HostID, out bridge.Sink) error {
	if req.Method != "GET" && req.Method != "HEAD" {
		return &bridge.Failure{Status: 405, Err: sandstorm.Errorf(sandstorm.Invalid, "bridge.method", "init by %.20q", req.Method)}
	}
	id, location, err := parseInit(query)
	if err != nil {
		return err
	}
	if !id.Opens(host) {
		return sandstorm.Errorf(sandstorm.Denied, "session.wrong-host", "session id is not that of host %s", host.Short())
	}
	return out.Start(&bridge.Head{Status: 303, Length: 0, Fields: []bridge.Field{
		{Name: "Location", Value: location},
		{Name: "Set-Cookie", Value: g.sessionCookie(id)},
		// The URL holds the secret: it must not go anywhere from here.
		{Name: "Referrer-Policy", Value: "no-referrer"},
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "Permissions-Policy", Value: permissionsPolicy[0]},
	}})
}

// parseInit reads the query: the two parameters in any order, each once, and
// others ignored.
func parseInit(query string) (id sandstorm.SessionID, location string, err error) {
	bad := func(what string) error {
		return sandstorm.Errorf(sandstorm.Invalid, "session.bad-init", "session init: %s", what)
	}
	if len(query) > maxInitQuery {
		return id, "", bad("query too long")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return id, "", bad("malformed query")
	}
	ids, paths := values["sessionid"], values["path"]
	if len(ids) != 1 || len(paths) > 1 {
		return id, "", bad("parameters missing or repeated")
	}
	id, ok := sandstorm.ParseSessionID(ids[0])
	if !ok {
		return id, "", bad("malformed session id")
	}
	path := ""
	if len(paths) == 1 {
		path = paths[0]
	}
	location, ok = safeLocation(path)
	if !ok {
		return id, "", bad("path leads elsewhere")
	}
	return id, location, nil
}

// safeLocation returns path as a Location that stays on its host: one slash
// that is not followed by a slash or backslash, which browsers take for the
// start of a host name, and no control characters, which they leave out.
func safeLocation(path string) (string, bool) {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if len(path) > 1 && (path[1] == '/' || path[1] == '\\') {
		return "", false
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		switch c := path[i]; {
		case c < ' ' || c == 0x7f:
			return "", false
		case c == ' ' || c >= 0x80 || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// sessionCookie is the Set-Cookie of a session's host. It ends with the browser,
// is for this host only, and script cannot read it.
func (g *Gateway) sessionCookie(id sandstorm.SessionID) string {
	c := bridge.SessionCookie + "=" + id.Reveal() + "; Path=/; HttpOnly"
	secure := g.base.scheme == "https"
	switch {
	case secure && !g.sameSite:
		// In a frame of another site only partitioned cookies are kept.
		return c + "; Secure; SameSite=None; Partitioned"
	case secure:
		return c + "; Secure; SameSite=Lax"
	default:
		return c + "; SameSite=Lax"
	}
}
