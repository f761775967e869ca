package bridge

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// FromHTTP fills req from a request of net/http; w is needed to bound reads of
// the body.
func FromHTTP(req *Request, w http.ResponseWriter, r *http.Request) {
	req.Method, req.Host = r.Method, r.Host
	req.Target = originForm(r.RequestURI)
	req.Fields = req.Fields[:0]
	for name, values := range r.Header {
		for _, v := range values {
			req.Fields = append(req.Fields, Field{name, trimOWS(v)})
		}
	}
	if req.Length = r.ContentLength; r.Body != nil && r.Body != http.NoBody {
		req.Body = &httpBody{r.Body, w}
		if r.ContentLength < 0 || r.ContentLength > smallBody {
			// An error means HTTP/2, which is always full duplex.
			http.NewResponseController(w).EnableFullDuplex()
		}
	}
}

// originForm strips scheme and host of an absolute request target.
func originForm(target string) string {
	if strings.HasPrefix(target, "/") {
		return target
	}
	_, rest, ok := strings.Cut(target, "://")
	if !ok {
		return target // OPTIONS *, CONNECT: refused later
	}
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		if rest = rest[i:]; rest[0] == '?' {
			rest = "/" + rest
		}
		return rest
	}
	return "/"
}

// httpBody is a request body of net/http.
type httpBody struct {
	io.Reader
	w http.ResponseWriter
}

func (b *httpBody) SetReadDeadline(t time.Time) error {
	return http.NewResponseController(b.w).SetReadDeadline(t)
}

// HTTPSink is a Sink that writes to a net/http ResponseWriter.
type HTTPSink struct {
	w      http.ResponseWriter
	r      *http.Request
	values []string
}

// NewHTTPSink makes a Sink for one response.
func NewHTTPSink(w http.ResponseWriter, r *http.Request) *HTTPSink {
	return &HTTPSink{w: w, r: r}
}

// Start implements Sink.
func (s *HTTPSink) Start(h *Head) error {
	header := s.w.Header()
	s.values = make([]string, 0, len(h.Fields)+2)
	for _, f := range h.Fields {
		if have, ok := header[f.Name]; ok {
			header[f.Name] = append(have, f.Value)
		} else {
			header[f.Name] = s.value(f.Value)
		}
	}
	if _, ok := header["Content-Type"]; !ok {
		header["Content-Type"] = nil // net/http shall not guess
	}
	if h.Length >= 0 {
		header["Content-Length"] = s.value(strconv.FormatInt(h.Length, 10))
	}
	// A request whose body was not read to its end, or that came in chunks,
	// leaves no connection behind: what follows on it could be the rest of a
	// body, and net/http does not tell whether chunks came with a
	// Content-Length, which is how requests are smuggled past a front proxy.
	if s.r.ProtoMajor == 1 && (h.Closing || s.r.ContentLength < 0) {
		header["Connection"] = s.value("close")
	}
	s.w.WriteHeader(h.Status)
	return nil
}

// value puts v into the slab of values, which saves an allocation per field.
func (s *HTTPSink) value(v string) []string {
	n := len(s.values)
	s.values = append(s.values, v)
	return s.values[n : n+1 : n+1]
}

// Write implements Sink.
func (s *HTTPSink) Write(p []byte) (int, error) { return s.w.Write(p) }

// Flush implements Sink.
func (s *HTTPSink) Flush() error { return http.NewResponseController(s.w).Flush() }

// SetWriteDeadline implements Sink.
func (s *HTTPSink) SetWriteDeadline(t time.Time) error {
	return http.NewResponseController(s.w).SetWriteDeadline(t)
}

// CopyFrom implements Sink: net/http and the kernel splice between two plain
// sockets.
func (s *HTTPSink) CopyFrom(src net.Conn, n int64) (int64, bool, error) {
	if s.r.TLS != nil || s.r.ProtoMajor != 1 || !spliceable(src) {
		return 0, false, nil
	}
	to, ok := s.w.(io.ReaderFrom)
	if !ok {
		return 0, false, nil
	}
	done, err := to.ReadFrom(&io.LimitedReader{R: src, N: n})
	return done, true, err
}

func spliceable(c net.Conn) bool {
	switch c := c.(type) {
	case *net.TCPConn:
		return true
	case *net.UnixConn:
		return c.LocalAddr().Network() == "unix"
	}
	return false
}

// Upgrade implements Sink.
func (s *HTTPSink) Upgrade(fields []Field) (net.Conn, []byte, error) {
	conn, rw, err := http.NewResponseController(s.w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	conn.SetDeadline(time.Time{})
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	b := []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
	for _, f := range fields {
		b = appendField(b, f.Name, f.Value)
	}
	if _, err := conn.Write(append(b, "\r\n"...)); err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, early, nil
}
