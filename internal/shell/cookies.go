package shell

import (
	"net/http"
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
// than any of ours.
func (s *Shell) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(name))
	if err != nil || len(c.Value) > 2000 {
		return ""
	}
	return c.Value
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
