package main

import (
	"net/http"
	"net/http/cgi"
	"os"
)

const cgit = "/usr/lib/cgit/cgit.cgi"

// browse lets cgit answer: commits, trees, files, differences, snapshots. Its
// settings are in etc/cgitrc.
func (a *app) browse(w http.ResponseWriter, r *http.Request) {
	done, ok := a.pages.take(r)
	if !ok {
		return
	}
	defer done()
	(&cgi.Handler{Path: cgit, Dir: "/", Env: []string{"CGIT_CONFIG=/etc/cgitrc"}, Stderr: os.Stderr}).ServeHTTP(w, r)
}
