// Package visitor tells an app who sent a request, as the bridge says it in
// the X-Sandstorm-* headers (gateway.md §11). Inside a grain only the bridge
// can connect, so these headers can be trusted.
package visitor

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds a display name, in code points.
const maxName = 80

// Visitor is one person at one open tab of the grain.
type Visitor struct {
	ID          string // 32 hex digits, the same each time; empty for an anonymous visitor
	Name        string // display name; never empty
	Tab         string // names the browser tab
	Permissions []string
}

// From reads the headers of a request. Whatever is missing is absent from the
// result: no header means no permission.
func From(r *http.Request) Visitor {
	v := Visitor{
		ID:   r.Header.Get("X-Sandstorm-User-Id"),
		Name: cleanName(r.Header.Get("X-Sandstorm-Username")),
		Tab:  r.Header.Get("X-Sandstorm-Tab-Id"),
	}
	for _, p := range strings.Split(r.Header.Get("X-Sandstorm-Permissions"), ",") {
		if p = strings.TrimSpace(p); p != "" {
			v.Permissions = append(v.Permissions, p)
		}
	}
	return v
}

// Can reports whether the visitor holds the permission of that name.
func (v Visitor) Can(permission string) bool {
	return slices.Contains(v.Permissions, permission)
}

// Require wraps h so that only visitors who hold the permission reach it; the
// others get 403.
func Require(permission string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !From(r).Can(permission) {
			http.Error(w, "You may not do this here.", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// cleanName decodes a percent-encoded display name and drops what would
// disturb a list of names: control and format characters (such as the ones
// that reverse the direction of text) and excessive length.
func cleanName(encoded string) string {
	name, err := url.PathUnescape(encoded)
	if err != nil || !utf8.ValidString(name) {
		name = ""
	}
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, name))
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName])
	}
	if name == "" {
		return "Anonymous"
	}
	return name
}
