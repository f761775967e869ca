package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// number reads a query parameter, or returns fallback.
func number(r *http.Request, name string, fallback int64) int64 {
	n, err := strconv.ParseInt(r.URL.Query().Get(name), 10, 64)
	if err != nil {
		return fallback
	}
	return n
}

// status answers with any code; ?body=, ?type= and ?location= fill it.
func status(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil || code < 200 || code > 999 {
		http.Error(w, "code must be 200 to 999", http.StatusBadRequest)
		return
	}
	q := r.URL.Query()
	if t := q.Get("type"); t != "" {
		w.Header().Set("Content-Type", t)
	}
	if l := q.Get("location"); l != "" {
		w.Header().Set("Location", l)
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, q.Get("body"))
}

// headers sets each query parameter as a header of the answer.
func headers(w http.ResponseWriter, r *http.Request) {
	for name, values := range r.URL.Query() {
		for _, v := range values {
			w.Header().Add(name, v)
		}
	}
	_, _ = io.WriteString(w, "ok\n")
}

// cookie sends each ?set= as a Set-Cookie line and answers with the Cookie
// header that came.
func cookie(w http.ResponseWriter, r *http.Request) {
	for _, v := range r.URL.Query()["set"] {
		w.Header().Add("Set-Cookie", v)
	}
	_, _ = io.WriteString(w, strings.Join(r.Header.Values("Cookie"), "\n")+"\n")
}

func redirect(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Location", r.URL.Query().Get("to"))
	w.WriteHeader(int(number(r, "code", http.StatusFound)))
}

// entityTag is a resource with a tag, ?tag= or "probe": it answers 304 and 412
// where it should.
func entityTag(w http.ResponseWriter, r *http.Request) {
	tag := r.URL.Query().Get("tag")
	if tag == "" {
		tag = `"probe"`
	}
	w.Header().Set("ETag", tag)
	http.ServeContent(w, r, "probe.txt", time.Time{}, strings.NewReader("entity\n"))
}

// raw sends ?head= (percent-encoded bytes: status line, headers, all) or the
// request's body as the whole answer and closes the connection. ?keep=1 leaves
// the connection open instead.
func raw(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(c, r.URL.Query().Get("head"))
	_, _ = c.Write(body)
	if r.URL.Query().Get("keep") != "" {
		_, _ = io.Copy(io.Discard, c)
	}
	c.Close()
}

// size answers with ?n= bytes; ?chunked=1 leaves out the length.
func size(w http.ResponseWriter, r *http.Request) {
	n := number(r, "n", 1024)
	w.Header().Set("Content-Type", "application/octet-stream")
	if r.URL.Query().Get("chunked") == "" {
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	}
	block := []byte(strings.Repeat("0123456789abcde\n", 4096))
	for n > 0 {
		k, err := w.Write(block[:min(n, int64(len(block)))])
		if err != nil {
			return
		}
		n -= int64(k)
	}
}

// stream sends ?n= pieces (text, or events with ?sse=1), one each ?ms=.
func stream(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	form := "piece %d\n"
	if r.URL.Query().Get("sse") != "" {
		w.Header().Set("Content-Type", "text/event-stream")
		form = "data: %d\n\n"
	}
	for i := range number(r, "n", 10) {
		if i > 0 {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(time.Duration(number(r, "ms", 0)) * time.Millisecond):
			}
		}
		if _, err := fmt.Fprintf(w, form, i); err != nil {
			return
		}
		if err := out.Flush(); err != nil {
			return
		}
	}
}

// partial promises ?claim= bytes, sends ?n= of them and breaks the connection.
// Without claim the answer is chunked, and lacks its end.
func partial(w http.ResponseWriter, r *http.Request) {
	if claim := r.URL.Query().Get("claim"); claim != "" {
		w.Header().Set("Content-Length", claim)
	}
	_, _ = io.WriteString(w, strings.Repeat("x", int(number(r, "n", 10))))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// early answers before it has read the request's body, and then reads it if
// ?read=1.
func early(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	_ = out.EnableFullDuplex()
	w.WriteHeader(int(number(r, "code", 200)))
	_, _ = io.WriteString(w, "early\n")
	_ = out.Flush()
	if r.URL.Query().Get("read") != "" {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "read %d %v\n", n, err)
	}
}

func sleep(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(time.Duration(number(r, "ms", 1000)) * time.Millisecond):
		_, _ = io.WriteString(w, "awake\n")
	}
}

// socket echoes messages. ?protocol= is chosen if it was offered, ?refuse=CODE
// refuses, ?close=CODE closes at once.
func socket(w http.ResponseWriter, r *http.Request) {
	if code := number(r, "refuse", 0); code != 0 {
		http.Error(w, "refused", int(code))
		return
	}
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: r.URL.Query()["protocol"], InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer c.CloseNow()
	if code := number(r, "close", 0); code != 0 {
		c.Close(websocket.StatusCode(code), "asked for")
		return
	}
	c.SetReadLimit(64 << 20)
	for {
		kind, b, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, b) != nil {
			return
		}
	}
}

// page is HTML that runs ?script=: what a hostile app would show.
func page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><html lang=en><title>Probe</title><h1>Probe %s</h1><script>%s</script>", run, r.URL.Query().Get("script"))
}
