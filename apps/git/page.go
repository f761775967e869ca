package main

import (
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/sandstorm-go/sandstorm/apps/internal/visitor"
)

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"t": words.say,
}).ParseFS(staticFiles, "static/page.html"))

// view is what the page shows.
type view struct {
	Words     words
	CanWrite  bool
	Empty     bool
	Head      string
	Branches  []string
	Commits   []commit
	Pushes    []push
	Name      string // of the README
	Readme    string
	Suggested string // text of a README to begin with
	Problem   string
}

// page shows what the repository is about and how to get it.
func (a *app) page(w http.ResponseWriter, r *http.Request) { a.show(w, r, http.StatusOK, "") }

func (a *app) show(w http.ResponseWriter, r *http.Request, code int, problem string) {
	ctx, lang := r.Context(), language(r)
	v := &view{Words: lang, CanWrite: visitor.From(r).Can(mayWrite), Problem: lang.say(problem)}
	var errs [4]error
	v.Branches, errs[0] = a.repo.branches(ctx)
	v.Head, errs[1] = a.repo.head(ctx)
	if v.Empty = len(v.Branches) == 0; !v.Empty {
		v.Commits, errs[2] = a.repo.commits(ctx, 10)
		v.Pushes, errs[3] = a.repo.pushes(5)
		v.Name, v.Readme = a.repo.readme(ctx)
	} else {
		v.Suggested = "# " + lang.say("Our project") + "\n"
	}
	if err := errors.Join(errs[:]...); err != nil {
		a.log.Error("the repository cannot be read", "err", err)
		http.Error(w, lang.say("The repository cannot be read. The grain’s log says why."), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept-Language")
	w.WriteHeader(code)
	if err := pageTemplate.Execute(w, v); err != nil {
		a.log.Warn("page", "err", err)
	}
}

// begin makes the first commit of an empty repository.
func (a *app) begin(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxReadme+4096)
	text := r.FormValue("readme")
	if strings.TrimSpace(text) == "" || len(text) > maxReadme {
		a.show(w, r, http.StatusBadRequest, "Please write a line or more, but not a book.")
		return
	}
	err := a.repo.begin(r.Context(), visitor.From(r), text)
	switch {
	case errors.Is(err, errNotEmpty):
		a.show(w, r, http.StatusConflict, "Somebody else was faster: the repository is not empty any more.")
	case err != nil:
		a.log.Error("first commit", "err", err)
		a.show(w, r, http.StatusInternalServerError, "This did not work. The grain’s log says why.")
	default:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// chooseBranch says which branch is shown and cloned.
func (a *app) chooseBranch(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	branches, err := a.repo.branches(r.Context())
	if name := r.FormValue("branch"); err == nil {
		if !slices.Contains(branches, name) {
			a.show(w, r, http.StatusNotFound, "There is no such branch any more.")
			return
		}
		err = a.repo.setHead(r.Context(), name)
	}
	if err != nil {
		a.log.Error("default branch", "err", err)
		a.show(w, r, http.StatusInternalServerError, "This did not work. The grain’s log says why.")
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
