package bridge

import (
	"errors"
	"strconv"
	"strings"
)

// Limits of what an app may send before the body.
const (
	maxHead         = 64 << 10 // bytes of one response head
	maxFields       = 256      // fields in it
	maxInterim      = 100      // 1xx responses before the final one
	maxChunkLine    = 256      // bytes of a chunk's size line with extensions
	maxTrailer      = 8 << 10  // bytes of trailers, which are thrown away
	lengthUnknown   = -1
	maxLengthDigits = 18
)

// responseHead is the parsed head of an app's response.
type responseHead struct {
	status    int
	fields    []Field // strings are parts of one copy of the head
	length    int64   // Content-Length, or lengthUnknown
	chunked   bool
	keepAlive bool // the app will take another request on the connection
}

var (
	errStatusLine = errors.New("malformed status line")
	errFieldLine  = errors.New("malformed header field")
	errFraming    = errors.New("contradictory or unknown framing of the body")
	errTooMany    = errors.New("too many header fields")
)

// parse reads a whole head, with or without its final empty line. Lines may end
// in a lone LF (RFC 9112 §2.2 allows it and CGI-like apps do it): what leaves is
// written anew, so nothing can be smuggled that way. A CR elsewhere, NUL, other
// control characters, folded lines and white space before the colon are refused.
func (h *responseHead) parse(text string) error {
	line, rest := cutLine(text)
	minor, err := h.parseStatus(line)
	if err != nil {
		return err
	}
	h.fields = h.fields[:0]
	h.length, h.chunked, h.keepAlive = lengthUnknown, false, minor >= 1
	coded := false
	for rest != "" {
		line, rest = cutLine(rest)
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		value = trimOWS(value)
		if !ok || !isToken(name) || !isValue(value) {
			return errFieldLine
		}
		if len(h.fields) == maxFields {
			return errTooMany
		}
		h.fields = append(h.fields, Field{name, value})
		switch {
		case equalFold(name, "Content-Length"):
			err = h.setLength(value)
		case equalFold(name, "Transfer-Encoding"):
			err = h.setCoding(value, minor, coded)
			coded = true
		case equalFold(name, "Connection"):
			if hasListToken(value, "close") {
				h.keepAlive = false
			} else if minor == 0 && hasListToken(value, "keep-alive") {
				h.keepAlive = true
			}
		}
		if err != nil {
			return err
		}
	}
	if h.chunked && h.length != lengthUnknown {
		return errFraming
	}
	return nil
}

func cutLine(s string) (line, rest string) {
	i := strings.IndexByte(s, '\n')
	if i < 0 {
		return s, ""
	}
	return strings.TrimSuffix(s[:i], "\r"), s[i+1:]
}

// parseStatus reads "HTTP/1.x NNN reason".
func (h *responseHead) parseStatus(line string) (minor int, err error) {
	if len(line) < 12 || line[:7] != "HTTP/1." || line[8] != ' ' || (line[7] != '0' && line[7] != '1') {
		return 0, errStatusLine
	}
	if len(line) > 12 && line[12] != ' ' || !isValue(line) {
		return 0, errStatusLine
	}
	h.status = 0
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return 0, errStatusLine
		}
		h.status = h.status*10 + int(c-'0')
	}
	if h.status < 100 {
		return 0, errStatusLine
	}
	return int(line[7] - '0'), nil
}

func (h *responseHead) setLength(value string) error {
	if value == "" || len(value) > maxLengthDigits {
		return errFraming
	}
	for i := range len(value) {
		if value[i] < '0' || value[i] > '9' {
			return errFraming
		}
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || h.length != lengthUnknown && h.length != n {
		return errFraming
	}
	h.length = n
	return nil
}

func (h *responseHead) setCoding(value string, minor int, again bool) error {
	switch {
	case again:
		return errFraming
	case equalFold(value, "identity"):
		return nil
	case minor >= 1 && equalFold(value, "chunked"):
		h.chunked = true
		return nil
	}
	return errFraming
}
