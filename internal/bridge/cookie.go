package bridge

import "strings"

// SessionCookie is the cookie that holds the secret of a session's host. No app
// ever sees it or sets it.
const SessionCookie = "sandstorm-sid"

// appendCookies appends the pairs of a Cookie field to dst, without the secret
// of the session. It puts "Cookie: " or "; " before the first pair as needed;
// any says whether an earlier field had pairs, and is returned updated.
func appendCookies(dst []byte, field string, any bool) ([]byte, bool) {
	for len(field) > 0 {
		pair := field
		if i := strings.IndexByte(field, ';'); i >= 0 {
			pair, field = field[:i], field[i+1:]
		} else {
			field = ""
		}
		pair = trimOWS(pair)
		name, _, _ := strings.Cut(pair, "=")
		if pair == "" || strings.EqualFold(trimOWS(name), SessionCookie) {
			continue
		}
		if any {
			dst = append(dst, "; "...)
		} else {
			dst = append(dst, "Cookie: "...)
		}
		dst, any = append(dst, pair...), true
	}
	return dst, any
}

// SessionCookies calls visit with each value of the session cookie in a Cookie
// field until visit returns true, and reports whether it did. There may be
// several: a sibling host can plant one for the parent domain.
func SessionCookies(field string, visit func(value string) bool) bool {
	for len(field) > 0 {
		pair := field
		if i := strings.IndexByte(field, ';'); i >= 0 {
			pair, field = field[:i], field[i+1:]
		} else {
			field = ""
		}
		name, value, _ := strings.Cut(trimOWS(pair), "=")
		if name == SessionCookie && visit(value) {
			return true
		}
	}
	return false
}
