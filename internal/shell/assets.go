package shell

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed static
var staticFiles embed.FS

// assets are our own style sheets, modules, font and pictures. Their addresses
// carry a hash of all of them, so that browsers may keep them for ever and
// modules can import each other by relative names.
type assets struct {
	version string
	files   map[string]asset
}

type asset struct {
	mimeType string
	plain    []byte
	gzipped  []byte // nil if that is no smaller
}

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
}

// loadAssets packs them once: they are part of the program.
var loadAssets = sync.OnceValues(func() (*assets, error) {
	a := &assets{files: map[string]asset{}}
	hash := sha256.New()
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		mimeType, ok := assetTypes[path.Ext(name)]
		if !ok {
			return nil
		}
		hash.Write([]byte(name))
		hash.Write(content)
		a.files[strings.TrimPrefix(name, "static/")] = asset{mimeType, content, compress(name, content)}
		return nil
	})
	a.version = hex.EncodeToString(hash.Sum(nil))[:12]
	return a, err
})

func compress(name string, content []byte) []byte {
	if path.Ext(name) == ".woff2" || path.Ext(name) == ".png" {
		return nil
	}
	var buf bytes.Buffer
	z, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // the level is valid
	_, _ = z.Write(content)                                 // a buffer takes all
	_ = z.Close()
	if buf.Len() >= len(content) {
		return nil
	}
	return buf.Bytes()
}

// url is the address of one of our files.
func (a *assets) url(name string) string { return "/_static/" + a.version + "/" + name }

// ServeHTTP serves GET /_static/{version}/{file...}.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.PathValue("file")]
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.mimeType)
	h.Add("Vary", "Accept-Encoding")
	if r.PathValue("version") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else { // a page of another release: right for now, not for ever
		h.Set("Cache-Control", "no-cache")
	}
	body := f.plain
	if f.gzipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.gzipped
	}
	_, _ = w.Write(body) // the reader may have gone away
}
