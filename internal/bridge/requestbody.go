package bridge

import (
	"bytes"
	"compress/gzip"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// streams reports whether the body goes to the app while it comes in.
func (e *exchange) streams() bool {
	return e.rule.body && e.req.Body != nil && e.req.small == nil && e.req.Length != 0 && !e.socket
}

// appendBody writes the fields that frame the body, the empty line, and a small
// body itself.
func (e *exchange) appendBody(buf []byte) ([]byte, error) {
	hasBody := e.rule.body && e.req.Body != nil && e.req.Length != 0
	if hasBody {
		if err := e.checkType(); err != nil {
			return nil, err
		}
		if err := e.loadBody(); err != nil {
			return nil, err
		}
		if t := e.noted[noteType]; t != "" {
			buf = appendField(buf, "Content-Type", t)
		}
		if c := e.noted[noteEncoding]; c != "" {
			buf = appendField(buf, "Content-Encoding", c)
		}
	}
	switch {
	case !hasBody && e.rule.needsLength:
		buf = append(buf, "Content-Length: 0\r\n"...)
	case !hasBody:
	case e.req.small != nil:
		buf = appendLength(buf, int64(len(e.req.small)))
	case e.req.Length >= 0:
		buf = appendLength(buf, e.req.Length)
	default:
		buf = append(buf, "Transfer-Encoding: chunked\r\n"...)
	}
	buf = append(buf, "\r\n"...)
	return append(buf, e.req.small...), nil
}

func appendLength(buf []byte, n int64) []byte {
	buf = append(buf, "Content-Length: "...)
	buf = strconv.AppendInt(buf, n, 10)
	return append(buf, "\r\n"...)
}

// loadBody reads a small body whole: a slow client then does not occupy the
// app, and the request can be repeated.
func (e *exchange) loadBody() error {
	r := e.req
	if r.small != nil || r.Length < 0 || r.Length > smallBody {
		return nil
	}
	body := make([]byte, r.Length)
	r.Body.SetReadDeadline(time.Now().Add(e.app.waits.body))
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return clientGone(err)
	}
	r.Body.SetReadDeadline(time.Time{})
	r.small = body
	return nil
}

// checkType makes sure that methods which carry XML do (gateway.md §5), and
// inflates it: few apps can.
func (e *exchange) checkType() error {
	if !e.rule.xml {
		return nil
	}
	mime, _, _ := strings.Cut(orElse(e.noted[noteType], "application/xml"), ";")
	mime = trimOWS(mime)
	if equalFold(mime, "text/plain") {
		// What browsers say of a script's string when the script says nothing;
		// Radicale's own page sends its XML so.
		e.noted[noteType], mime = "", "application/xml"
	}
	_, subtype, _ := strings.Cut(mime, "/")
	if !equalFold(subtype, "xml") {
		return fail(415, sandstorm.Invalid, "bridge.media-type", "%.80q is not XML", mime)
	}
	e.noted[noteType] = orElse(e.noted[noteType], "application/xml; charset=utf-8")
	if c := e.noted[noteEncoding]; !equalFold(c, "gzip") && !equalFold(c, "x-gzip") {
		return nil
	}
	e.noted[noteEncoding] = ""
	if e.req.small != nil {
		return nil // a second attempt
	}
	e.req.Body.SetReadDeadline(time.Now().Add(e.app.waits.body))
	defer e.req.Body.SetReadDeadline(time.Time{})
	z, err := gzip.NewReader(io.LimitReader(e.req.Body, maxInflated))
	if err != nil {
		return badRequest("gzip: %w", err)
	}
	var out bytes.Buffer
	n, err := out.ReadFrom(io.LimitReader(z, maxInflated+1))
	switch {
	case err != nil:
		return badRequest("gzip: %w", err)
	case n > maxInflated:
		return fail(413, sandstorm.TooLarge, "bridge.too-large", "XML inflates to more than %d bytes", maxInflated)
	}
	e.req.small = append([]byte{}, out.Bytes()...)
	return nil
}
