package shell

import (
	"net/http"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// The names of our cookies. Under https they carry the __Host- prefix, so that
// a grain's host cannot plant one for us.
const (
	cookieSession = "sandstorm-session"
	cookieSetup   = "sandstorm-setup"
	cookieTheme   = "sandstorm-theme"
	cookieFlash   = "sandstorm-flash"
)

func (s *Shell) cookieName(name string) string {
	if s.secure() {
		return "__Host-" + name
	}
	return name
}

// cookie is the value of a cookie, or empty if there is none or it is longer
// than any of ours. If there are several, a grain may have planted one to make
// its visitor somebody else: none of them counts.
func (s *Shell) cookie(r *http.Request, name string) string {
	value := ""
	for i, c := range r.CookiesNamed(s.cookieName(name)) {
		if len(c.Value) > 2000 || i > 0 && c.Value != value {
			return ""
		}
		value = c.Value
	}
	return value
}

// shedPlanted takes cookies away that a grain planted under our names for the
// domain that it shares with us. That is possible over plain HTTP only, and our
// own cookies, which are for our host alone, stay.
func (s *Shell) shedPlanted(w http.ResponseWriter, r *http.Request) {
	if s.secure() {
		return
	}
	for _, name := range []string{cookieSession, cookieSetup, cookieTheme, cookieFlash} {
		if len(r.CookiesNamed(name)) < 2 {
			continue
		}
		for domain := s.base.Hostname(); strings.Contains(domain, "."); _, domain, _ = strings.Cut(domain, ".") {
			for _, path := range cookiePaths(r.URL.Path) {
				http.SetCookie(w, &http.Cookie{Name: name, Domain: domain, Path: path, MaxAge: -1})
			}
		}
	}
}

// cookiePaths are the first of the paths whose cookies come with a request.
func cookiePaths(path string) []string {
	paths := []string{"/"}
	for i := 1; i < len(path) && len(paths) < 16; i++ {
		if path[i] == '/' {
			paths = append(paths, path[:i], path[:i+1])
		}
	}
	return append(paths, path)
}

// setCookie sets a cookie until expires, or for the browser's session if that
// is zero.
func (s *Shell) setCookie(w http.ResponseWriter, name string, value sandstorm.Secret, expires time.Time) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(name), Value: value.Reveal(), Path: "/", Expires: expires,
		Secure: s.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (s *Shell) clearCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(name), Path: "/", MaxAge: -1,
		Secure: s.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
