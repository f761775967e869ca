package bridge

import (
	"bytes"
	"errors"
	"time"
)

var errChunk = errors.New("malformed chunked body")

// relayChunks copies a chunked body without its framing. Trailers are read and
// thrown away.
func (e *exchange) relayChunks() error {
	c := e.conn
	slow := false
	defer func() {
		if slow {
			e.out.SetWriteDeadline(time.Time{})
			c.shrink()
		}
	}()
	// more gets bytes from the app. The client has all that came before, so
	// that events arrive when they are sent.
	more := func() error {
		if !slow {
			slow = true
			e.slow()
			c.widen()
		}
		if err := e.out.Flush(); err != nil {
			return err
		}
		e.app.touch()
		return unexpected(c.fill(copyBuffer))
	}
	for {
		size, err := c.chunkSize(more)
		if err != nil {
			return err
		}
		if size == 0 {
			return c.skipTrailer(more)
		}
		for size > 0 {
			if c.r == c.w {
				if err := more(); err != nil {
					return err
				}
			}
			b := c.unread()
			if int64(len(b)) > size {
				b = b[:size]
			}
			c.r += len(b)
			size -= int64(len(b))
			if slow {
				e.allow(int64(len(b)))
			}
			if _, err := e.out.Write(b); err != nil {
				return err
			}
		}
		if line, err := c.line(maxChunkLine, more); err != nil || len(line) > 0 {
			return orErr(err, errChunk)
		}
	}
}

func orErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// line returns the next line without its end; it is valid until the next read.
func (c *conn) line(limit int, more func() error) ([]byte, error) {
	for {
		b := c.unread()
		if i := bytes.IndexByte(b, '\n'); i >= 0 && i < limit {
			c.r += i + 1
			return bytes.TrimSuffix(b[:i], []byte{'\r'}), nil
		}
		if len(b) >= limit {
			return nil, errChunk
		}
		if err := more(); err != nil {
			return nil, err
		}
	}
}

// chunkSize reads a size line. Extensions are ignored.
func (c *conn) chunkSize(more func() error) (int64, error) {
	line, err := c.line(maxChunkLine, more)
	if err != nil {
		return 0, err
	}
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		line = line[:i]
	}
	line = bytes.TrimRight(line, " \t")
	if len(line) == 0 || len(line) > 15 {
		return 0, errChunk
	}
	var size int64
	for _, d := range line {
		switch {
		case d >= '0' && d <= '9':
			d -= '0'
		case d|0x20 >= 'a' && d|0x20 <= 'f':
			d = d | 0x20 - 'a' + 10
		default:
			return 0, errChunk
		}
		size = size<<4 | int64(d)
	}
	return size, nil
}

func (c *conn) skipTrailer(more func() error) error {
	for total := 0; ; {
		line, err := c.line(maxTrailer, more)
		if err != nil || len(line) == 0 {
			return err
		}
		if total += len(line); total > maxTrailer {
			return errChunk
		}
	}
}

// widen swaps a large buffer in for a body; shrink undoes it.
func (c *conn) widen() {
	if len(c.buf) >= copyBuffer {
		return
	}
	p := copyBuffers.Get().(*[]byte)
	c.w = copy(*p, c.unread())
	c.r, c.small, c.buf = 0, c.buf, *p
}

func (c *conn) shrink() {
	if c.small == nil {
		return
	}
	wide := c.buf
	if c.w-c.r <= len(c.small) {
		c.w = copy(c.small, c.unread())
		c.r = 0
	}
	c.buf, c.small = c.small, nil
	if c.w > len(c.buf) {
		c.w, c.r = len(c.buf), 0 // more than a response was sent: not reused
	}
	copyBuffers.Put(&wide)
}
