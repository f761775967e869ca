package main

import (
	"context"
	"net/http"
	"net/http/cgi"
	"os"
	"path"
	"strings"

	"github.com/sandstorm-go/sandstorm/apps/internal/visitor"
)

const httpBackend = "/usr/lib/git-core/git-http-backend"

// transport is what git's programs ask for, below any one name.
func (a *app) transport() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{name}/info/refs", a.refs)
	mux.HandleFunc("POST /{name}/git-upload-pack", a.uploadPack)
	mux.Handle("POST /{name}/git-receive-pack", visitor.Require(mayWrite, http.HandlerFunc(a.receivePack)))
	return mux
}

// refs is how both directions begin (gitprotocol-http(5)). The old protocol
// without a service, which fetches files one by one, is not offered.
func (a *app) refs(w http.ResponseWriter, r *http.Request) {
	switch r.URL.RawQuery {
	case "service=git-upload-pack":
		a.backend(w, r, "info/refs")
	case "service=git-receive-pack":
		if !visitor.From(r).Can(mayWrite) {
			// git shows this text to who pushes.
			http.Error(w, "You may read this repository, but not push to it.", http.StatusForbidden)
			return
		}
		a.backend(w, r, "info/refs")
	default:
		http.Error(w, "Only the smart HTTP protocol of git 1.6.6 and later is spoken here.", http.StatusForbidden)
	}
}

func (a *app) uploadPack(w http.ResponseWriter, r *http.Request) {
	a.backend(w, r, "git-upload-pack")
}

// receivePack takes a push. Its first branch becomes the one that is shown.
func (a *app) receivePack(w http.ResponseWriter, r *http.Request) {
	a.backend(w, r, "git-receive-pack")
	if err := a.repo.settleHead(context.WithoutCancel(r.Context())); err != nil {
		a.log.Warn("after a push", "err", err)
	}
}

// backend hands the request to git's own program.
func (a *app) backend(w http.ResponseWriter, r *http.Request, service string) {
	done, ok := a.transports.take(r)
	if !ok {
		return
	}
	defer done()
	name, address := who(visitor.From(r))
	root, dir := path.Split(a.repo.dir)
	inner := r.Clone(r.Context())
	inner.URL.Path = "/" + dir + "/" + service
	// A push beyond a megabyte comes in chunks. CGI has no word for that, but
	// http-backend reads to the end if no length is said.
	inner.TransferEncoding = nil
	(&cgi.Handler{
		Path: httpBackend,
		Dir:  "/",
		Env: []string{
			"GIT_PROJECT_ROOT=" + strings.TrimSuffix(root, "/"), "GIT_HTTP_EXPORT_ALL=1", "HOME=" + os.Getenv("HOME"),
			"REMOTE_USER=" + name, "GIT_COMMITTER_NAME=" + name, "GIT_COMMITTER_EMAIL=" + address,
		},
		Stderr: os.Stderr,
	}).ServeHTTP(w, inner)
}
