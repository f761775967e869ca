package main

import (
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"

	"github.com/sandstorm-go/sandstorm/apps/internal/assets"
	"github.com/sandstorm-go/sandstorm/apps/internal/visitor"
)

//go:embed static
var staticFiles embed.FS

// The permissions of the package's definition.
const (
	mayRead  = "read"
	mayWrite = "write"
)

// How many programs may run at the same time, for memory: of git's, and apart
// from them of cgit's, so that slow clones keep nobody from looking.
const (
	transportsAtOnce = 6
	pagesAtOnce      = 4
)

type app struct {
	repo              *repository
	log               *slog.Logger
	transports, pages turns
}

// newHandler is all of the app's addresses.
func newHandler(repo *repository, log *slog.Logger) (http.Handler, error) {
	files, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, err
	}
	static, err := assets.New(files)
	if err != nil {
		return nil, err
	}
	a := &app{repo: repo, log: log, transports: make(turns, transportsAtOnce), pages: make(turns, pagesAtOnce)}
	write := func(h http.HandlerFunc) http.Handler { return visitor.Require(mayWrite, h) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.page)
	mux.Handle("POST /begin", write(a.begin))
	mux.Handle("POST /branch", write(a.chooseBranch))
	mux.Handle("GET /static/", http.StripPrefix("/static", static))
	mux.HandleFunc("GET /code/", a.browse)
	transport := a.transport()
	return visitor.Require(mayRead, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Whatever the repository is called: a clone's folder gets the name that
		// stands in the address.
		if name, _, _ := strings.Cut(strings.TrimLeft(r.URL.Path, "/"), "/"); strings.HasSuffix(name, ".git") {
			transport.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})), nil
}

// turns has room for as many as may run at once.
type turns chan struct{}

// take waits until another program may be started; false if the client has
// gone away meanwhile.
func (t turns) take(r *http.Request) (done func(), ok bool) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, true
	case <-r.Context().Done():
		return nil, false
	}
}
