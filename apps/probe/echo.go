package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// echoed is what came in, as JSON.
type echoed struct {
	Run        string      `json:"run"`
	Method     string      `json:"method"`
	Path       string      `json:"path"` // as sent, with the query
	Proto      string      `json:"proto"`
	Remote     string      `json:"remote"`
	Headers    [][2]string `json:"headers"` // in the order and spelling of the wire
	Trailers   http.Header `json:"trailers,omitempty"`
	Length     int64       `json:"length"` // declared; -1 if it was not
	Chunked    bool        `json:"chunked"`
	BodySize   int64       `json:"bodySize"`
	BodySHA256 string      `json:"bodySha256"`
	Body       string      `json:"body,omitempty"` // its beginning
	BodyError  string      `json:"bodyError,omitempty"`
}

const shownBody = 4096

func echo(w http.ResponseWriter, r *http.Request) {
	e := echoed{
		Run: run, Method: r.Method, Path: r.RequestURI, Proto: r.Proto, Remote: r.RemoteAddr,
		Headers: wireHeaders(r), Length: r.ContentLength, Chunked: len(r.TransferEncoding) > 0,
	}
	hash := sha256.New()
	var begin strings.Builder
	n, err := io.Copy(hash, io.TeeReader(r.Body, &limited{&begin, shownBody}))
	e.BodySize, e.BodySHA256, e.Body, e.Trailers = n, hex.EncodeToString(hash.Sum(nil)), begin.String(), r.Trailer
	if err != nil {
		e.BodyError = err.Error()
	}
	answer(w, e)
}

func answer(w http.ResponseWriter, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, '\n'))
}

// limited passes on the first n bytes and swallows the rest.
type limited struct {
	w io.Writer
	n int
}

func (l *limited) Write(p []byte) (int, error) {
	keep := p[:min(len(p), l.n)]
	l.n -= len(keep)
	if _, err := l.w.Write(keep); err != nil {
		return 0, err
	}
	return len(p), nil
}

// The standard library's server does not tell the order of headers, so the
// connection remembers what it read.
type recordingListener struct{ net.Listener }

func (l recordingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &recordingConn{Conn: c}, nil
}

type recordingConn struct {
	net.Conn
	mu   sync.Mutex
	seen []byte
}

// maxSeen bounds what a connection remembers: more than any header block.
const maxSeen = 8 << 20

func (c *recordingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen)+n > maxSeen {
		c.seen = nil
	}
	c.seen = append(c.seen, p[:n]...)
	return n, err
}

type connKey struct{}

func rememberConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// wireHeaders returns the header lines as they came.
func wireHeaders(r *http.Request) [][2]string {
	c, ok := r.Context().Value(connKey{}).(*recordingConn)
	if !ok {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := string(c.seen)
	c.seen = nil
	start := strings.LastIndex(seen, r.Method+" "+r.RequestURI+" HTTP/1.")
	if start < 0 {
		return nil
	}
	head, _, _ := strings.Cut(seen[start:], "\r\n\r\n")
	var out [][2]string
	for _, line := range strings.Split(head, "\r\n")[1:] {
		name, value, _ := strings.Cut(line, ":")
		out = append(out, [2]string{name, strings.TrimSpace(value)})
	}
	return out
}
