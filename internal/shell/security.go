package shell

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

// contentSecurityPolicy is that of every page (style.md §4). Beyond that list it
// names the page's own font and manifest, and the one Trusted Types policy.
func contentSecurityPolicy(scheme, wildcard, imageHost string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"font-src 'self'",
		"manifest-src 'self'",
		"img-src 'self' data: " + imageHost,
		"connect-src 'self'",
		"frame-src " + frameSource(scheme, wildcard),
		"form-action 'self'",
		"base-uri 'none'",
		"frame-ancestors 'self'",
		"require-trusted-types-for 'script'",
		"trusted-types shell",
	}, "; ")
}

// frameSource is the wildcard host as CSP can say it: a star stands for whole
// labels only, so that ss-*.example.com becomes *.example.com.
func frameSource(scheme, wildcard string) string {
	_, rest, _ := strings.Cut(wildcard, "*")
	_, parent, ok := strings.Cut(rest, ".")
	if !ok {
		return "'none'"
	}
	return scheme + "://*." + parent
}

// protect is around everything that the base host serves: the headers, the
// request id, the CSRF check and the last net under a panic.
func (s *Shell) protect(next http.Handler) http.Handler {
	// Grain hosts are same-site with us, so SameSite cookies do not stop a
	// hostile app from posting forms; this does (style.md §4).
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(s.handle(public, func(*request) error {
		return sandstorm.Errorf(sandstorm.Denied, "request.cross-origin", "cross-origin request refused")
	}))
	guarded := csrf.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestID()
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("Content-Security-Policy", s.csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "SAMEORIGIN")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "interest-cohort=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.Log.Error("panic in a page", "req", id, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				s.ErrorPage(w, r, http.StatusInternalServerError, "internal", nil, id)
			}
		}()
		s.shedPlanted(w, r)
		guarded.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

type requestIDKey struct{}

func requestIDOf(r *http.Request) string {
	id, _ := r.Context().Value(requestIDKey{}).(string)
	return id
}

// requestID names a request in the log and on error pages: 16 hex digits.
func requestID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// maxPath bounds the paths that we carry around, in bytes.
const maxPath = 8 << 10

// localPath makes a path that came from outside safe to redirect to: one slash,
// not followed by another or by a backslash, and nothing that ends a header.
// Anything else becomes fallback.
func localPath(p, fallback string) string {
	if !isLocalPath(p) {
		return fallback
	}
	u, err := url.Parse(p)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil {
		return fallback
	}
	return p
}

// isLocalPath reports whether p is an absolute path of this host: browsers take
// "//host" and "/\host" for addresses of other hosts.
func isLocalPath(p string) bool {
	if len(p) == 0 || len(p) > maxPath || p[0] != '/' {
		return false
	}
	if len(p) > 1 && (p[1] == '/' || p[1] == '\\') {
		return false
	}
	return !strings.ContainsFunc(p, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '\\' })
}
