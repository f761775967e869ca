package bridge

import "strings"

// Character classes of RFC 9110 §5.
const (
	classToken = 1 << iota // may stand in a field name or a method
	classValue             // may stand in a field value: visible, space, tab, obs-text
)

var classes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z',
			strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0 && c != 0:
			t[c] = classToken | classValue
		case c == '\t', c >= 0x20 && c != 0x7f:
			t[c] = classValue
		}
	}
	return t
}()

func allOf(s string, class uint8) bool {
	for i := range len(s) {
		if classes[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

func isToken(s string) bool { return s != "" && allOf(s, classToken) }

// isValue reports whether s can be a field value: no CR, LF, NUL or other
// control characters, which would let one field become two.
func isValue(s string) bool { return allOf(s, classValue) }

// hasPrefixFold reports whether s starts with prefix (lower case) in any case
// and goes on after it.
func hasPrefixFold(s, prefix string) bool {
	return len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// hasListToken reports whether a comma-separated list such as Connection's
// names the token, in any case.
func hasListToken(list, token string) bool {
	for len(list) > 0 {
		item := list
		if i := strings.IndexByte(list, ','); i >= 0 {
			item, list = list[:i], list[i+1:]
		} else {
			list = ""
		}
		if strings.EqualFold(trimOWS(item), token) {
			return true
		}
	}
	return false
}

// trimOWS removes optional white space (RFC 9110 §5.6.3), which is less than
// what strings.TrimSpace takes.
func trimOWS(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
