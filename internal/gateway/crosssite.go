package gateway

import (
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// siteInfo is what a browser says of where a request comes from.
type siteInfo struct {
	origin           string
	site, mode, dest string // Sec-Fetch-*
	hasOrigin        bool
	repeated         bool // one of them stands more than once
}

func (s *siteInfo) read(fields []bridge.Field) {
	set := func(to *string, v string) {
		s.repeated = s.repeated || *to != "" && *to != v
		*to = v
	}
	for _, f := range fields {
		switch n := len(f.Name); {
		case n == len("Origin") && strings.EqualFold(f.Name, "Origin"):
			s.hasOrigin = true
			set(&s.origin, f.Value)
		case n != len("Sec-Fetch-Site"):
		case strings.EqualFold(f.Name, "Sec-Fetch-Site"):
			set(&s.site, f.Value)
		case strings.EqualFold(f.Name, "Sec-Fetch-Mode"):
			set(&s.mode, f.Value)
		case strings.EqualFold(f.Name, "Sec-Fetch-Dest"):
			set(&s.dest, f.Value)
		}
	}
}

// checkSite refuses requests to a session's host that another site's page made
// (gateway.md §4, §16). The session cookie alone does not tell: sibling grains
// are on the same site, so SameSite does not stop them.
//
//   - same-origin, or none (address bar, bookmark): fine.
//   - same-site or cross-site: only navigations by GET of a page or frame. The
//     shell's frame starts like that, and so do links to the app.
//   - A browser that does not say: its Origin decides. Without Origin it is a
//     command line or an old browser's GET or same-origin request.
//
// An Origin that is stated must be ours in any case; null (a page without
// referrer) is believed only together with same-origin or for safe methods.
func (g *Gateway) checkSite(req *bridge.Request, host sandstorm.HostID) error {
	var s siteInfo
	s.read(req.Fields)
	safe := req.Method == "GET" || req.Method == "HEAD" || req.Method == "OPTIONS"
	navigates := (req.Method == "GET" || req.Method == "HEAD") && s.mode == "navigate" &&
		(s.dest == "document" || s.dest == "iframe" || s.dest == "frame")
	socket := req.WantsSocket()
	refused := func() error {
		return sandstorm.Errorf(sandstorm.Denied, "session.foreign-request",
			"request from %.80q, Sec-Fetch-Site %.20q, mode %.20q", s.origin, s.site, s.mode)
	}
	switch {
	case s.repeated:
		return refused()
	case s.hasOrigin && s.origin != "null" && s.origin != g.hosts.SessionOrigin(host):
		return refused()
	case s.site == "same-origin":
		return nil
	case s.hasOrigin && s.origin == "null" && (!safe || socket):
		return refused()
	case s.site == "" || s.site == "none":
		return nil
	case navigates && !socket:
		return nil
	}
	return refused()
}
