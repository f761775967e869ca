package shell

import (
	"net/http"
	"strings"
)

// routes is the map of addresses (shell.md §9). GET never changes anything.
func (s *Shell) routes() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, who access, page func(*request) error) {
		mux.Handle(pattern, s.handle(who, page))
	}
	route("GET /{$}", public, s.home)
	route("GET /about", public, s.about)
	route("GET /events", signedIn, s.events)
	mux.HandleFunc("GET /robots.txt", robots)
	route("GET /manifest.json", public, s.manifest)
	mux.Handle("GET /_static/{version}/{file...}", s.assets)

	route("GET /setup", public, s.setupStart)
	route("GET /setup/token/{token}", public, s.setupLink)
	route("POST /setup/token", public, s.setupToken)
	route("GET /setup/email", public, s.setupServer)
	route("POST /setup/email", public, s.setupSave)
	route("GET /setup/user", public, s.setupUser)
	route("POST /setup/user", signedIn, s.setupAdmin)
	route("GET /setup/success", signedIn, s.setupSuccess)

	route("GET /login", public, s.login)
	route("POST /login/email", public, s.loginEmail)
	route("GET /login/code", public, s.loginCode)
	route("POST /login/code", public, s.loginWithCode)
	route("GET /_emailLogin/{email}/{code}", public, s.loginLink)
	route("POST /login/dev", public, s.loginDev)
	route("POST /logout", public, s.logout)

	route("GET /apps", signedIn, s.apps)
	route("GET /apps/{app}", signedIn, s.app)
	route("POST /apps/{app}/uninstall", signedIn, s.uninstall)
	route("GET /upload", signedIn, func(q *request) error { q.redirect("/apps#install"); return nil })
	route("POST /upload", signedIn, s.upload)
	route("POST /install", signedIn, s.installURL)
	route("GET /install/{package}", signedIn, s.install)
	route("POST /install/{package}", signedIn, s.installConfirm)
	route("GET /install/attempt/{attempt}", signedIn, s.attempt)
	route("POST /install/attempt/{attempt}/cancel", signedIn, s.cancelAttempt)

	route("GET /grain", signedIn, s.grains)
	route("GET /grain/trash", signedIn, s.trash)
	route("GET /grain/new", signedIn, func(q *request) error { q.redirect("/apps"); return nil })
	route("POST /grain/new", signedIn, s.createGrain)
	route("POST /grain/bulk", signedIn, s.bulk)
	route("POST /_grain/{id}/open", signedIn, s.openGrain)
	route("POST /_grain/{id}/keepalive", signedIn, s.keepAlive)
	route("POST /_grain/{id}/rename", signedIn, s.rename)
	route("POST /_grain/{id}/restart", signedIn, s.restart)
	route("GET /grainlog/{id}", signedIn, s.grainLog)
	route("GET /grainlog/{id}/stream", signedIn, s.grainLogStream)

	route("GET /account", signedIn, s.accountPage)
	route("POST /account/profile", signedIn, s.saveProfile)
	route("POST /account/preferences", signedIn, s.savePreferences)
	route("POST /account/picture", signedIn, s.savePicture)

	mux.Handle("/", s.handle(public, func(q *request) error { return errNoPage(q.r) }))

	grain := s.handle(signedIn, s.grain)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A mux would tidy a//b and a/../b in the app's part of the address,
		// but that part is the app's business.
		if rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/grain/"); ok && isRead(r) &&
			rest != "" && rest != "trash" && rest != "new" {
			grain.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// home leads to where there is something to do.
func (s *Shell) home(q *request) error {
	needed, err := s.Setup.Needed(q.r.Context())
	if err != nil {
		return err
	}
	if needed {
		q.redirect("/setup")
		return nil
	}
	if q.account == nil {
		q.redirect("/login")
		return nil
	}
	rows, err := s.Grains.List(q.r.Context(), q.account, GrainQuery{})
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		q.redirect("/grain")
	} else {
		q.redirect("/apps")
	}
	return nil
}
