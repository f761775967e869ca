package bridge

import (
	"net/url"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

// appendHead writes the request head that the app sees (gateway.md §11), up to
// but without the fields that frame the body and the final empty line.
func (e *exchange) appendHead(dst []byte) ([]byte, error) {
	dst = append(dst, e.req.Method...)
	dst = append(dst, ' ')
	dst = append(dst, e.root()...)
	dst = append(dst, e.req.Target...)
	dst = append(dst, " HTTP/1.1\r\n"...)
	dst = append(dst, e.sess.block...)
	dst, err := e.appendPassed(dst)
	if err != nil {
		return nil, err
	}
	dst = appendField(dst, "Accept", orElse(e.noted[noteAccept], "*/*"))
	if e.sess.BasePath != "" {
		dst = appendField(dst, "User-Agent", orElse(e.noted[noteAgent], "UnknownAgent/0.0"))
		if !e.socket {
			dst = appendField(dst, "Accept-Language", orElse(e.noted[noteLanguage], "en-US,en"))
		}
	}
	return e.appendDAV(dst)
}

// appendPassed writes the fields of the client that pass, and notes the others
// that matter.
func (e *exchange) appendPassed(dst []byte) ([]byte, error) {
	for i, f := range e.req.Fields {
		rule := requestRuleFor(f.Name)
		if rule.action == dropField {
			continue
		}
		if !isValue(f.Value) {
			return nil, badRequest("control character in %.40q", f.Name)
		}
		switch rule.action {
		case passField:
			dst = appendField(dst, rule.name, f.Value)
		case passOnce, passDAV:
			if (rule.action == passOnce || e.rule.dav) && e.isFirst(i) {
				dst = appendField(dst, rule.name, f.Value)
			}
		case cookieField:
			if e.sess.BasePath != "" && e.isFirst(i) {
				dst = e.appendAllCookies(dst, i)
			}
		default:
			e.note(rule.action, f.Value)
		}
	}
	return dst, nil
}

func (e *exchange) note(a requestAction, value string) {
	if e.noted[a] == "" {
		e.noted[a] = value
	} else if a < noteLists {
		e.noted[a] += ", " + value
	}
}

// appendAllCookies joins the Cookie fields, the first of which is the i-th.
func (e *exchange) appendAllCookies(dst []byte, i int) []byte {
	any := false
	for _, f := range e.req.Fields[i:] {
		if strings.EqualFold(f.Name, "Cookie") && isValue(f.Value) {
			dst, any = appendCookies(dst, f.Value, any)
		}
	}
	if any {
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// isFirst reports whether no earlier field has the name of the i-th: of fields
// that may stand once, apps disagree which of two they believe.
func (e *exchange) isFirst(i int) bool {
	for _, f := range e.req.Fields[:i] {
		if strings.EqualFold(f.Name, e.req.Fields[i].Name) {
			return false
		}
	}
	return true
}

// root is what stands before the paths of an API session, without the slash that
// they begin with: the package's path may end in one (gateway.md §10).
func (e *exchange) root() string {
	if e.sess.BasePath != "" {
		return ""
	}
	return strings.TrimSuffix(e.app.opts.APIPath, "/")
}

// appendDAV writes Destination, Overwrite and Depth as the method wants them.
func (e *exchange) appendDAV(dst []byte) ([]byte, error) {
	if e.rule.destination {
		path, err := destinationPath(e.noted[noteDestination], e.req.Host)
		if err != nil {
			return nil, err
		}
		overwrite := "T"
		if strings.EqualFold(e.noted[noteOverwrite], "F") {
			overwrite = "F"
		}
		base := orElse(e.sess.BasePath, "http://sandbox"+e.root())
		dst = appendField(dst, "Destination", base+path)
		dst = appendField(dst, "Overwrite", overwrite)
	}
	if depth := e.rule.depth.value(e.noted[noteDepth]); depth != "" {
		dst = appendField(dst, "Depth", depth)
	}
	return dst, nil
}

// destinationPath checks the Destination of a COPY or MOVE and returns its
// path: it must be on the host that was asked, or the app could be made to
// believe that it is somewhere else.
func destinationPath(dest, host string) (string, error) {
	path := dest
	if !strings.HasPrefix(dest, "/") {
		u, err := url.Parse(dest)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || !strings.EqualFold(u.Host, host) || u.User != nil {
			return "", fail(400, sandstorm.Invalid, "bridge.destination", "Destination is not on this host")
		}
		// Keep the percent-encoding that the client chose.
		path = dest[strings.Index(dest, "://")+3:]
		if i := strings.IndexByte(path, '/'); i >= 0 {
			path = path[i:]
		} else {
			path = "/"
		}
	}
	if strings.ContainsAny(path, " \t#") || strings.HasPrefix(path, "//") {
		return "", fail(400, sandstorm.Invalid, "bridge.destination", "Destination is malformed")
	}
	return path, nil
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
