package gateway

import (
	"errors"
	"io"
	"net/http"
	"runtime/debug"
)

// recoverPanic keeps a defect in one request from ending the others. A response
// that was begun is broken off: it must not look whole.
func (g *Gateway) recoverPanic(w http.ResponseWriter, r *http.Request, begun *bool) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	g.opts.Log.Error("panic in a request", "method", r.Method, "panic", p, "stack", string(debug.Stack()))
	if *begun {
		panic(http.ErrAbortHandler)
	}
	g.problem(w, r, errors.New("panic"))
}

// serveOwn runs one of the server's own handlers.
func (g *Gateway) serveOwn(w http.ResponseWriter, r *http.Request, h http.Handler) {
	t := &trackedWriter{ResponseWriter: w}
	defer g.recoverPanic(w, r, &t.begun)
	w.Header()["Permissions-Policy"] = permissionsPolicy
	h.ServeHTTP(t, r)
}

// trackedWriter knows whether a response was begun.
type trackedWriter struct {
	http.ResponseWriter
	begun bool
}

func (t *trackedWriter) WriteHeader(status int) {
	t.begun = t.begun || status >= 200
	t.ResponseWriter.WriteHeader(status)
}

func (t *trackedWriter) Write(p []byte) (int, error) {
	t.begun = true
	return t.ResponseWriter.Write(p)
}

func (t *trackedWriter) ReadFrom(r io.Reader) (int64, error) {
	t.begun = true
	return io.Copy(t.ResponseWriter, r) // sendfile, if that is possible
}

// Flush is for handlers that do not use http.ResponseController.
func (t *trackedWriter) Flush() {
	t.begun = true
	http.NewResponseController(t.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (t *trackedWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }
