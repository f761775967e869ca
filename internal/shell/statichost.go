package shell

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

// Static serves the static host: pictures of packages and people, by name, and
// identicons (gateway.md §8). What it serves comes from strangers, SVG included,
// so nothing in it may run.
func (s *Shell) Static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
		h.Set("Permissions-Policy", "interest-cohort=()")
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			s.serveStatic(w, r)
		case http.MethodOptions:
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
			w.WriteHeader(http.StatusNoContent)
		default:
			h.Set("Allow", "GET, HEAD, OPTIONS")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		}
	})
}

func (s *Shell) serveStatic(w http.ResponseWriter, r *http.Request) {
	// Every address stands for one content for ever, so whoever has any
	// version of it has the right one.
	if r.Header.Get("If-None-Match") == "permanent" {
		permanent(w)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if hash, ok := strings.CutPrefix(name, "identicon/"); ok {
		serveIdenticon(w, r, hash)
		return
	}
	if !isAssetID(name) {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	mimeType, content, err := s.Apps.Asset(r.Context(), sandstorm.AssetID(name))
	if err != nil {
		status := sandstorm.KindOf(err).HTTPStatus()
		if status >= 500 {
			s.Log.Error("asset failed", "asset", name, "err", err)
		}
		http.Error(w, http.StatusText(status), status)
		return
	}
	permanent(w)
	w.Header().Set("Content-Type", mimeType)
	_, _ = w.Write(content) // the reader may have gone away
}

func permanent(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "public, max-age=31536000")
	w.Header().Set("ETag", "permanent")
}

func serveIdenticon(w http.ResponseWriter, r *http.Request, hash string) {
	size := 64
	if v := r.URL.Query().Get("s"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 8 || n > 1024 {
			http.Error(w, "bad size", http.StatusBadRequest)
			return
		}
		size = n
	}
	svg, ok := identicon(hash, size)
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	permanent(w)
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write(svg) // the reader may have gone away
}
