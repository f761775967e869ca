package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"golang.org/x/net/webdav"
)

// files reads and writes below dir, or anywhere if the name is absolute: the
// sandbox is what should stop it.
type files struct{ dir string }

func (f files) name(r *http.Request) string {
	name := r.URL.Query().Get("file")
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(f.dir, name)
}

// write stores the body, or ?bytes= of zeros, in ?file=.
func (f files) write(w http.ResponseWriter, r *http.Request) {
	name := f.name(r)
	if name != filepath.Clean(f.dir) {
		_ = os.MkdirAll(filepath.Dir(name), 0o777)
	}
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	var n int64
	if err == nil {
		src := io.Reader(r.Body)
		if b := number(r, "bytes", 0); b > 0 {
			src = io.LimitReader(zeros{}, b)
		}
		n, err = io.Copy(out, src)
		if cerr := out.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		http.Error(w, fmt.Sprintf("after %d bytes: %v", n, err), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "%d\n", n)
}

func (f files) read(w http.ResponseWriter, r *http.Request) {
	in, err := os.Open(f.name(r))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	defer in.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = io.Copy(w, io.LimitReader(in, number(r, "max", 1<<30)))
}

func (f files) remove(w http.ResponseWriter, r *http.Request) {
	if err := os.RemoveAll(f.name(r)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (f files) dav() http.Handler {
	dir := filepath.Join(f.dir, "dav")
	_ = os.MkdirAll(dir, 0o777)
	return &webdav.Handler{Prefix: "/dav", FileSystem: webdav.Dir(dir), LockSystem: webdav.NewMemLS()}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
