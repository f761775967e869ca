// Package assets serves the files that are built into an app, with ETags, so
// that a browser that has them asks only once whether they are still current.
package assets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

type asset struct {
	content []byte
	mime    string
	etag    string
}

// Server holds the files of one file system in memory.
type Server struct{ files map[string]asset }

// New reads all files below fsys.
func New(fsys fs.FS) (*Server, error) {
	s := &Server{files: map[string]asset{}}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		s.files[name] = asset{content: b, mime: mimeType(name), etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	return s, err
}

// ServeHTTP serves the file that the path names.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Serve(w, r, strings.TrimPrefix(path.Clean(r.URL.Path), "/"))
}

// Serve serves the file called name.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := s.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.mime)
	w.Header().Set("ETag", f.etag)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
}

// mimeType does not ask the system's tables: a grain has none.
func mimeType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}
