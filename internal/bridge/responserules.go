package bridge

// responseAction says what becomes of a header field of the app's response.
type responseAction uint8

const (
	dropResponse   responseAction = iota // it does not leave
	passResponse                         // as it is
	passFirst                            // as it is, the first one only
	rewriteCookie                        // Set-Cookie, see setcookie.go
	rewriteCaching                       // Cache-Control, see caching.go
	onlyNosniff                          // if the value is nosniff
	framesBody                           // read by the bridge, never passed on
)

// responseRule is one line of the table.
type responseRule struct {
	name   string // as it leaves
	action responseAction
}

// responseRules is the whitelist of what may leave a grain, by lower-case name
// (gateway.md §5, with what §15 asks for). It is a security boundary: the app
// is hostile, and some fields act on more than the response that carries them.
// What is not here is dropped; among that, deliberately:
//
//	access-control-*            would open the session to other origins
//	content-security-policy     made by the gateway; an app's own policy does not
//	                            know the hosts that it is used with here (frame,
//	                            pictures, sharing templates), so it breaks apps
//	x-frame-options             likewise: the shell must be able to frame the app
//	strict-transport-security   acts on the host beyond the session
//	public-key-pins, expect-ct  likewise
//	clear-site-data             its "cookies" clears the whole registrable domain,
//	                            the shell's session with it
//	service-worker-allowed      a service worker could strip fields (§4)
//	alt-svc                     would move the host to another server
//	report-to, nel, reporting-endpoints, content-security-policy-report-only
//	                            send reports with the secret host name elsewhere
//	www-authenticate, proxy-authenticate
//	                            a password prompt of the browser's own looks
//	                            trustworthy; the app never gets the answer
//	permissions-policy, cross-origin-*, referrer-policy, origin-agent-cluster
//	                            set by the gateway
//	server, x-powered-by, date, via, set-cookie2, p3p
//	                            of no use to a browser
//	refresh                     the original dropped it; Location is the way
//	connection, keep-alive, upgrade, trailer, te, proxy-*
//	                            belong to one hop
var responseRules = map[string]responseRule{
	"content-type":        {"Content-Type", passFirst},
	"content-encoding":    {"Content-Encoding", passResponse},
	"content-language":    {"Content-Language", passResponse},
	"content-disposition": {"Content-Disposition", passFirst}, // inline and filename* too
	"content-location":    {"Content-Location", passFirst},
	"location":            {"Location", passFirst},
	"link":                {"Link", passResponse}, // says no more than <link> in a page can

	// Ranges and caching on a host that only this session uses (§15).
	"etag":          {"ETag", passFirst},
	"last-modified": {"Last-Modified", passFirst},
	"accept-ranges": {"Accept-Ranges", passFirst},
	"content-range": {"Content-Range", passFirst},
	"vary":          {"Vary", passResponse},
	"cache-control": {"", rewriteCaching},
	"expires":       {"Expires", passFirst},
	"pragma":        {"Pragma", passFirst},

	"allow":       {"Allow", passResponse},
	"retry-after": {"Retry-After", passFirst},

	// WebDAV.
	"dav":           {"DAV", passResponse},
	"lock-token":    {"Lock-Token", passFirst},
	"ms-author-via": {"MS-Author-Via", passFirst},
	"x-oc-mtime":    {"X-OC-Mtime", passFirst},

	// Only ever makes browsers more careful.
	"x-content-type-options": {"X-Content-Type-Options", onlyNosniff},

	"set-cookie": {"Set-Cookie", rewriteCookie},

	"content-length":    {"", framesBody},
	"transfer-encoding": {"", framesBody},
	"connection":        {"", framesBody},
}

// responsePrefix is the free part of the namespace: it passes as it is.
const responsePrefix = "x-sandstorm-app-"

var responseTable = newRuleTable(responseRules)

func responseRuleFor(name string) responseRule {
	if r, ok := responseTable.find(name); ok {
		return r
	}
	if hasPrefixFold(name, responsePrefix) {
		return responseRule{name, passResponse}
	}
	return responseRule{}
}

// appendAllowed appends to dst the fields of the app's response that may leave.
func (s *Session) appendAllowed(dst []Field, h *responseHead, thirdParty bool) []Field {
	cached := false
	start := len(dst)
	for _, f := range h.fields {
		rule := responseRuleFor(f.Name)
		switch rule.action {
		case passFirst:
			if hasField(dst[start:], rule.name) {
				continue
			}
			cached = cached || rule.name == "Expires"
			dst = append(dst, Field{rule.name, f.Value})
		case passResponse:
			dst = append(dst, Field{rule.name, f.Value})
		case rewriteCaching:
			cached = true
			dst = append(dst, Field{"Cache-Control", privateCaching(f.Value)})
		case rewriteCookie:
			if line := s.setCookie(f.Value, thirdParty); line != "" {
				dst = append(dst, Field{rule.name, line})
			}
		case onlyNosniff:
			if equalFold(f.Value, "nosniff") {
				dst = append(dst, Field{rule.name, "nosniff"})
			}
		}
	}
	if !cached {
		dst = append(dst, Field{"Cache-Control", cachingDefault})
	}
	return dst
}

func hasField(fields []Field, name string) bool {
	for i := range fields {
		if fields[i].Name == name {
			return true
		}
	}
	return false
}
