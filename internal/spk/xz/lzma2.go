package xz

import (
	"fmt"
	"io"
)

// chunks decodes the LZMA2 data of one block, chunk by chunk.
type chunks struct {
	model     *model
	src       io.Reader
	dict      int // size of the dictionary
	needDict  bool
	needProps bool
	low       int // where the dictionary began, in the window; may be negative
}

// start begins a new block.
func (c *chunks) start(m *model, src io.Reader, dict int) {
	*c = chunks{model: m, src: src, dict: dict, needDict: true, needProps: true}
}

// header is the start of a chunk.
type header struct {
	control byte
	in, out int // bytes; in is 0 if the chunk is not compressed
}

// next reads a chunk's header. The last one has control 0.
func (c *chunks) next() (header, error) {
	var b [5]byte
	if _, err := io.ReadFull(c.src, b[:1]); err != nil {
		return header{}, truncated(err)
	}
	h := header{control: b[0]}
	switch {
	case h.control == 0:
		return h, nil
	case h.control >= 0x80:
		if _, err := io.ReadFull(c.src, b[1:]); err != nil {
			return h, truncated(err)
		}
		h.out = int(h.control&0x1f)<<16 + int(b[1])<<8 + int(b[2]) + 1
		h.in = int(b[3])<<8 + int(b[4]) + 1
	case h.control <= 2:
		if _, err := io.ReadFull(c.src, b[1:3]); err != nil {
			return h, truncated(err)
		}
		h.out = int(b[1])<<8 + int(b[2]) + 1
	default:
		return h, fmt.Errorf("%w: chunk type %#x", ErrFormat, h.control)
	}
	return h, nil
}

// decode decodes the chunk to buf[pos:pos+h.out].
func (c *chunks) decode(h header, buf []byte, pos int) error {
	if h.control >= 0xe0 || h.control == 1 {
		c.needDict, c.needProps = false, true
		c.low = pos
	} else if c.needDict {
		return fmt.Errorf("%w: first chunk does not reset the dictionary", ErrFormat)
	}
	if h.in == 0 {
		if _, err := io.ReadFull(c.src, buf[pos:pos+h.out]); err != nil {
			return truncated(err)
		}
		return nil
	}
	if h.control >= 0xc0 {
		var props [1]byte
		if _, err := io.ReadFull(c.src, props[:]); err != nil {
			return truncated(err)
		}
		if !c.model.setProps(props[0]) {
			return fmt.Errorf("%w: LZMA properties %#x", ErrFormat, props[0])
		}
		c.needProps = false
	}
	if c.needProps {
		return fmt.Errorf("%w: chunk without LZMA properties", ErrFormat)
	}
	if h.control >= 0xa0 {
		c.model.reset()
	}
	if _, err := io.ReadFull(c.src, c.model.in[:h.in]); err != nil {
		return truncated(err)
	}
	if !c.model.decode(h.in, buf, c.low, pos, pos+h.out, c.dict) {
		return fmt.Errorf("%w: LZMA data", ErrFormat)
	}
	return nil
}
