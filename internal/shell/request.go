package shell

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/locale"
)

// request is one request to a page: who asks and in which language.
type request struct {
	w       http.ResponseWriter
	r       *http.Request
	id      string
	account *sandstorm.Account // nil if nobody is signed in
	loc     *locale.Locale
	status  int // of the page, 200 if zero
}

// access says who may see a page.
type access int

const (
	public   access = iota // everybody
	signedIn               // every account; others are sent to sign in
)

// maxForm bounds the body of an ordinary form, in bytes.
const maxForm = 64 << 10

// handle turns a page's function into a handler: it finds out who asks and in
// which language, and shows what went wrong.
func (s *Shell) handle(who access, page func(*request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &request{w: w, r: r, id: requestIDOf(r)}
		err := s.identify(q)
		if err == nil && who == signedIn && q.account == nil {
			if q.navigates() {
				q.redirect("/login?return=" + url.QueryEscape(r.URL.RequestURI()))
				return
			}
			err = sandstorm.Errorf(sandstorm.Denied, "auth.sign-in", "nobody is signed in")
		}
		if err == nil {
			err = page(q)
		}
		if err != nil {
			s.fail(q, err)
		}
	})
}

// identify finds the account and the language of a request.
func (s *Shell) identify(q *request) error {
	accept := q.r.Header.Get("Accept-Language")
	q.loc = s.locales.Match("", accept)
	if cookie := s.cookie(q.r, cookieSession); cookie != "" {
		account, err := s.Accounts.Authenticate(q.r.Context(), sandstorm.Secret(cookie))
		if err != nil && !sandstorm.IsKind(err, sandstorm.Denied) {
			return err
		}
		if err == nil {
			q.account = account
			q.loc = s.locales.Match(account.Language, accept)
		}
	}
	return nil
}

// navigates reports whether the request is for a document that we may answer
// with another page.
func (q *request) navigates() bool {
	return (q.r.Method == http.MethodGet || q.r.Method == http.MethodHead) && !q.wantsJSON() &&
		!strings.Contains(q.r.Header.Get("Accept"), "text/event-stream")
}

// wantsJSON reports whether a script asks.
func (q *request) wantsJSON() bool {
	accept, _, _ := mime.ParseMediaType(q.r.Header.Get("Accept"))
	return accept == "application/json"
}

// redirect answers "see there" with a path of ours.
func (q *request) redirect(path string) {
	q.w.Header().Set("Location", localPath(path, "/"))
	q.w.WriteHeader(http.StatusSeeOther)
}

// form parses a bounded form body.
func (q *request) form() error {
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, maxForm)
	if err := q.r.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return sandstorm.Errorf(sandstorm.TooLarge, "request.too-large", "form: %v", err)
		}
		return sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "form: %v", err)
	}
	return nil
}

// field is a form field without surrounding space.
func (q *request) field(name string) string { return strings.TrimSpace(q.r.PostForm.Get(name)) }

// returnPath is where a form wants to lead afterwards.
func (q *request) returnPath(fallback string) string {
	return localPath(q.r.PostForm.Get("return"), fallback)
}

// readJSON reads a bounded JSON body into v.
func (q *request) readJSON(v any) error {
	if ct, _, _ := mime.ParseMediaType(q.r.Header.Get("Content-Type")); ct != "application/json" {
		return sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "body is %q instead of JSON", ct)
	}
	d := json.NewDecoder(http.MaxBytesReader(q.w, q.r.Body, maxForm))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "JSON body: %v", err)
	}
	return nil
}

// writeJSON answers a script.
func (q *request) writeJSON(status int, v any) error {
	buf, err := json.Marshal(v)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "application/json")
	q.w.WriteHeader(status)
	_, _ = q.w.Write(buf) // the reader may have gone away
	return nil
}

// grainID is the grain that the address names. A malformed id cannot exist.
func (q *request) grainID() (sandstorm.GrainID, error) {
	id, err := sandstorm.ParseGrainID(q.r.PathValue("id"))
	if err != nil {
		return "", errNoPage(q.r)
	}
	return id, nil
}

func errNoPage(r *http.Request) error {
	return sandstorm.Errorf(sandstorm.NotFound, "page.not-found", "no page %.200q", r.URL.Path)
}
