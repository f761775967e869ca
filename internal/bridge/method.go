package bridge

import "strings"

// methodRule is how a request of one method goes to the app (gateway.md §5).
type methodRule struct {
	body        bool // the client's body is passed; else it is ignored
	needsLength bool // "Content-Length: 0" is sent if there is no body
	replay      bool // safe to send again if a kept-alive connection had died
	xml         bool // the body must be XML (415 if not)
	destination bool // Destination and Overwrite are passed
	dav         bool // If, Lock-Token and Timeout are passed
	depth       depthRule
}

type depthRule uint8

const (
	depthNever    depthRule = iota
	depthOptional           // passed if it is 0, 1 or infinity
	depthZeroInf            // 0, or else infinity; always sent
	depthAny                // 0, 1, or else infinity; always sent
)

// methods are all that an app can see; others are answered 501.
var methods = map[string]*methodRule{
	"GET":     {replay: true},
	"HEAD":    {replay: true},
	"OPTIONS": {replay: true},
	"DELETE":  {dav: true},
	"POST":    {body: true, needsLength: true},
	"PUT":     {dav: true, body: true, needsLength: true},
	"PATCH":   {body: true, needsLength: true},
	// WebDAV and CalDAV.
	"MKCOL":     {dav: true, body: true},
	"REPORT":    {dav: true, replay: true, body: true, depth: depthOptional},
	"COPY":      {dav: true, destination: true, depth: depthZeroInf},
	"MOVE":      {dav: true, destination: true},
	"LOCK":      {dav: true, body: true, xml: true, depth: depthZeroInf},
	"UNLOCK":    {dav: true},
	"PROPFIND":  {dav: true, replay: true, body: true, xml: true, depth: depthAny},
	"PROPPATCH": {dav: true, body: true, xml: true},
	"ACL":       {dav: true, body: true, xml: true},
	// The original answered 501; calendar programs make calendars with it (RFC
	// 4791 §5.3.1), and an app that does not know it says so itself.
	"MKCALENDAR": {dav: true, body: true, xml: true},
}

// value normalises a Depth; an empty result is not sent.
func (d depthRule) value(depth string) string {
	switch {
	case d == depthNever:
		return ""
	case depth == "0", depth == "1" && (d == depthAny || d == depthOptional):
		return depth
	case d == depthOptional && !strings.EqualFold(depth, "infinity"):
		return ""
	default:
		return "infinity"
	}
}
