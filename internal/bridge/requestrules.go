package bridge

// requestAction says what becomes of a header field of the client.
type requestAction uint8

const (
	dropField   requestAction = iota // the app does not see it
	passField                        // as it is
	passOnce                         // as it is, the first one only
	passDAV                          // like passOnce, for WebDAV methods
	cookieField                      // without the session's secret

	// The rest is kept in exchange.noted and written anew. Up to noteLists
	// several lines are joined; of the others the first one counts.
	noteAccept
	noteLanguage
	noteUpgrade
	noteConnection
	noteProtocols
	noteLists
	noteAgent
	noteType
	noteEncoding
	noteDestination
	noteOverwrite
	noteDepth
	noteSocketKey
	noteSocketVersion
	actionCount
)

// requestRule is one line of the table: the name as the app sees it.
type requestRule struct {
	name   string
	action requestAction
}

// requestRules is the whitelist of gateway.md §5 and §11, by lower-case name.
// What is not here never reaches an app; among that, deliberately:
//
//	authorization          credentials of the server, not of the app
//	origin, referer        the gateway has checked them; old packages expect none
//	x-sandstorm-*          made by the bridge: a client must not forge them
//	x_sandstorm_*          the same name for apps behind CGI or WSGI
//	x-forwarded-*, via     from front proxies; the scheme is that of the base path
//	cache-control, pragma  between the browser and its caches
//	connection, te, …      belong to one hop
//	expect                 answered by the gateway itself
var requestRules = map[string]requestRule{
	"accept":          {"", noteAccept},
	"accept-encoding": {"Accept-Encoding", passField},
	"accept-language": {"", noteLanguage},
	"user-agent":      {"", noteAgent},
	"cookie":          {"", cookieField},

	"content-type":     {"", noteType},
	"content-encoding": {"", noteEncoding},

	// Conditional and partial requests. The original passed only the first two;
	// ranges were asked for from the start (gateway.md §15).
	"if-match":            {"If-Match", passField},
	"if-none-match":       {"If-None-Match", passField},
	"if-modified-since":   {"If-Modified-Since", passOnce},
	"if-unmodified-since": {"If-Unmodified-Since", passOnce},
	"if-range":            {"If-Range", passOnce},
	"range":               {"Range", passOnce},

	// WebDAV. If and Timeout are needed to work with locks at all.
	"destination": {"", noteDestination},
	"overwrite":   {"", noteOverwrite},
	"depth":       {"", noteDepth},
	"lock-token":  {"Lock-Token", passDAV},
	"if":          {"If", passDAV},
	"timeout":     {"Timeout", passDAV},

	// Fields that scripts of known apps send.
	"x-requested-with": {"X-Requested-With", passField},
	"x-csrftoken":      {"X-CSRFToken", passField},
	"x-csrf-token":     {"X-CSRF-Token", passField},
	"x-oc-mtime":       {"X-OC-Mtime", passField},
	"oc-total-length":  {"OC-Total-Length", passField},
	"oc-chunk-size":    {"OC-Chunk-Size", passField},
	"oc-fileid":        {"OC-FileId", passField},
	"oc-chunked":       {"OC-Chunked", passField},
	"oc-checksum":      {"OC-Checksum", passField},
	"oc-chunk-offset":  {"OC-Chunk-Offset", passField},
	"oc-lazyops":       {"OC-LazyOps", passField},

	"upgrade":                {"", noteUpgrade},
	"connection":             {"", noteConnection},
	"sec-websocket-key":      {"", noteSocketKey},
	"sec-websocket-version":  {"", noteSocketVersion},
	"sec-websocket-protocol": {"", noteProtocols},
}

// requestPrefixes are the names with a free ending that pass as they are.
var requestPrefixes = []string{"x-sandstorm-app-", "x-hgarg-", "x-phabricator-"}

var requestTable = newRuleTable(requestRules)

func requestRuleFor(name string) requestRule {
	if r, ok := requestTable.find(name); ok {
		return r
	}
	if name == "" || name[0]|0x20 != 'x' {
		return requestRule{}
	}
	for _, p := range requestPrefixes {
		// The rest of the name is the client's: it must still be a name.
		if hasPrefixFold(name, p) && isToken(name) {
			return requestRule{name, passField}
		}
	}
	return requestRule{}
}
