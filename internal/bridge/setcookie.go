package bridge

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// setCookie rewrites one Set-Cookie of an app (gateway.md §5), or returns an
// empty text if it must not leave. Name, value, Expires, Max-Age, Path and
// HttpOnly stay. Domain goes, so that a grain cannot plant cookies on the shell
// or on other grains; SameSite goes, because the gateway refuses foreign
// requests itself and a strict one could lose the frame's first request; Secure
// follows from the server's scheme.
func (s *Session) setCookie(line string, thirdParty bool) string {
	if s.BasePath == "" {
		return ""
	}
	first, attributes, _ := strings.Cut(line, ";")
	name, value, ok := strings.Cut(first, "=")
	name, value = trimOWS(name), trimOWS(value)
	// A nameless cookie would come back as whatever its value says.
	if !ok || !isToken(name) || equalFold(name, SessionCookie) || !isCookieText(value) {
		return ""
	}
	var b strings.Builder
	b.WriteString(name + "=" + value)
	httpOnly := false
	for attributes != "" {
		var attribute string
		attribute, attributes, _ = strings.Cut(attributes, ";")
		name, value, _ := strings.Cut(attribute, "=")
		name, value = trimOWS(name), trimOWS(value)
		switch {
		case equalFold(name, "Expires"):
			if t, ok := parseCookieDate(value); ok {
				b.WriteString("; Expires=" + t.UTC().Format(http.TimeFormat))
			}
		case equalFold(name, "Max-Age"):
			if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
				b.WriteString("; Max-Age=" + strconv.FormatInt(max(seconds, 0), 10))
			}
		case equalFold(name, "Path"):
			if !isCookieText(value) {
				return ""
			}
			if strings.HasPrefix(value, "/") {
				b.WriteString("; Path=" + value)
			}
		case equalFold(name, "HttpOnly"):
			httpOnly = true
		}
	}
	if httpOnly {
		b.WriteString("; HttpOnly")
	}
	if s.https {
		b.WriteString("; Secure")
		if thirdParty {
			b.WriteString("; SameSite=None; Partitioned")
		}
	}
	return b.String()
}

// isCookieText reports whether s can stand as a cookie's value or path.
func isCookieText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 && c != '\t' || c == 0x7f || c == ',' || c == ';' {
			return false
		}
	}
	return true
}

// cookieDates are the forms that the original accepted (gateway.md §10).
var cookieDates = []string{
	http.TimeFormat,
	time.RFC1123,
	time.RFC850,
	time.ANSIC,
	"Mon, 02-Jan-2006 15:04:05 MST",
	"Mon, 02 Jan 2006 15:04:05 -0700",
	"Mon, 2 Jan 2006 15:04:05 MST",
	"Mon, 02-Jan-06 15:04:05 MST",
}

func parseCookieDate(s string) (time.Time, bool) {
	for _, form := range cookieDates {
		// No cookie lives longer than some hundred days; years of five digits
		// could not be written back.
		if t, err := time.Parse(form, s); err == nil && t.Year() >= 1 && t.Year() <= 9999 {
			return t, true
		}
	}
	return time.Time{}, false
}

func equalFold(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }
