package main

import (
	"embed"
	"io"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/sandstorm-go/sandstorm/apps/internal/assets"
	"github.com/sandstorm-go/sandstorm/apps/internal/visitor"
)

//go:embed static
var staticFiles embed.FS

// newHandler is all of the app's addresses. The three views of the page have
// an address each, so that the shell can link to them.
func newHandler(p *pad, log *slog.Logger) (http.Handler, error) {
	files, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, err
	}
	static, err := assets.New(files)
	if err != nil {
		return nil, err
	}
	page := func(w http.ResponseWriter, r *http.Request) { static.Serve(w, r, "index.html") }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", page)
	mux.HandleFunc("GET /read", page)
	mux.HandleFunc("GET /both", page)
	mux.Handle("GET /static/", http.StripPrefix("/static", static))
	mux.Handle("GET /live", &live{pad: p, log: log})
	mux.HandleFunc("GET /note.md", func(w http.ResponseWriter, r *http.Request) {
		text, err := p.snapshot(r.Context())
		if err != nil {
			http.Error(w, "Stopping.", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="note.md"`)
		_, _ = io.WriteString(w, text)
	})
	return visitor.Require("view", mux), nil
}
