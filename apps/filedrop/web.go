package main

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sandstorm-go/sandstorm/apps/internal/assets"
	"github.com/sandstorm-go/sandstorm/apps/internal/visitor"
)

//go:embed static
var staticFiles embed.FS

// app answers the page's requests.
type app struct {
	tree *tree
	log  *slog.Logger
}

// newHandler is all of the app's addresses. Who may only look holds "view";
// who may change things holds "edit" as well.
func newHandler(t *tree, log *slog.Logger) (http.Handler, error) {
	files, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, err
	}
	static, err := assets.New(files)
	if err != nil {
		return nil, err
	}
	a := &app{tree: t, log: log}
	page := func(w http.ResponseWriter, r *http.Request) { static.Serve(w, r, "index.html") }
	edit := func(h http.HandlerFunc) http.Handler { return visitor.Require("edit", h) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", page)
	mux.HandleFunc("GET /in/{path...}", page)
	mux.Handle("GET /static/", http.StripPrefix("/static", static))
	mux.Handle("GET /events", &t.watch)
	mux.HandleFunc("GET /api/list", a.list)
	mux.HandleFunc("GET /api/folders", a.folders)
	mux.Handle("POST /api/folder", edit(a.makeFolder))
	mux.Handle("POST /api/move", edit(a.move))
	mux.Handle("POST /api/delete", edit(a.remove))
	mux.HandleFunc("GET /files/{path...}", a.download)
	mux.HandleFunc("GET /zip/{path...}", a.zip)
	mux.Handle("PUT /files/{path...}", edit(a.upload))
	mux.Handle(davPrefix+"/", newDAV(t, log))
	return visitor.Require("view", tidy(mux)), nil
}

// tidy drops doubled slashes at the start of a WebDAV path, where a bridge has
// put apiPath before the client's path; the mux would answer with a redirect,
// which most WebDAV programs do not follow.
func tidy(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, davPrefix+"//") {
			r = r.Clone(r.Context())
			r.URL.Path = davPrefix + "/" + strings.TrimLeft(r.URL.Path[len(davPrefix):], "/")
			r.URL.RawPath = ""
		}
		h.ServeHTTP(w, r)
	})
}

func (a *app) list(w http.ResponseWriter, r *http.Request) {
	p, err := clean(r.URL.Query().Get("path"))
	if err != nil {
		a.fail(w, err)
		return
	}
	entries, err := a.tree.list(p)
	if err != nil {
		a.fail(w, err)
		return
	}
	answer(w, map[string]any{"path": p, "canEdit": visitor.From(r).Can("edit"), "entries": entries})
}

func (a *app) folders(w http.ResponseWriter, _ *http.Request) {
	all, err := a.tree.folders(2000)
	if err != nil {
		a.fail(w, err)
		return
	}
	answer(w, all)
}

// paths reads a JSON body that names one or two paths.
func paths(w http.ResponseWriter, r *http.Request) (from, to string, err error) {
	var body struct{ Path, To string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&body); err != nil {
		return "", "", errName
	}
	from, err1 := clean(body.Path)
	to, err2 := clean(body.To)
	return from, to, errors.Join(err1, err2)
}

func (a *app) change(w http.ResponseWriter, r *http.Request, f func(from, to string) error) {
	from, to, err := paths(w, r)
	if err == nil {
		err = f(from, to)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *app) makeFolder(w http.ResponseWriter, r *http.Request) {
	a.change(w, r, func(p, _ string) error { return a.tree.makeFolder(p) })
}

func (a *app) move(w http.ResponseWriter, r *http.Request) { a.change(w, r, a.tree.move) }

func (a *app) remove(w http.ResponseWriter, r *http.Request) {
	a.change(w, r, func(p, _ string) error { return a.tree.remove(p) })
}

// upload takes the body as it comes, whatever its size. ?conflict=rename or
// replace says what to do if the name is taken.
func (a *app) upload(w http.ResponseWriter, r *http.Request) {
	p, err := clean(r.PathValue("path"))
	if err != nil {
		a.fail(w, err)
		return
	}
	c := map[string]conflict{"rename": rename, "replace": replace}[r.URL.Query().Get("conflict")]
	got, _, err := a.tree.put(p, r.Body, modifiedTime(r), c)
	if err != nil {
		a.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]string{"path": got})
}

// modifiedTime is when the file changed on the sender's machine, in seconds,
// as ownCloud's clients say it and as our page does.
func modifiedTime(r *http.Request) time.Time {
	seconds, err := strconv.ParseInt(r.Header.Get("X-OC-MTime"), 10, 64)
	if err != nil || seconds <= 0 || seconds > 1<<34 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v)
}

// fail says what went wrong: a word for the page to translate, never a path.
func (a *app) fail(w http.ResponseWriter, err error) {
	code, word := http.StatusInternalServerError, "failed"
	switch {
	case errors.Is(err, errName), errors.Is(err, errInside), errors.Is(err, syscall.ENAMETOOLONG):
		code, word = http.StatusBadRequest, "name"
	case errors.Is(err, errExists), errors.Is(err, fs.ErrExist), errors.Is(err, syscall.EISDIR):
		code, word = http.StatusConflict, "exists"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		code, word = http.StatusNotFound, "gone"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		code, word = http.StatusInsufficientStorage, "full"
	case errors.Is(err, os.ErrPermission):
		code, word = http.StatusForbidden, "failed"
	default:
		a.log.Warn("request failed", "err", err)
	}
	http.Error(w, word, code)
}
