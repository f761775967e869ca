package xz

import (
	"fmt"
	"hash"
)

// serialBlock decodes a block chunk by chunk into a window that slides over the
// data: for blocks of unknown or great size.
type serialBlock struct {
	active   bool
	header   *blockHeader
	chunks   chunks
	model    *model
	window   []byte
	pos      int   // end of what was decoded, in the window
	began    int64 // where the compressed data starts in the source
	produced int64
	sum      hash.Hash
}

func (s *serialBlock) start(z *Reader, h *blockHeader) {
	if s.model == nil {
		s.model = new(model)
	}
	s.active, s.header, s.pos, s.produced = true, h, 0, 0
	s.began, s.sum = z.src.n, newCheck(z.check)
	s.chunks.start(s.model, &z.src, h.dict)
}

// read decodes one more chunk. At the end of the block it returns nothing.
func (s *serialBlock) read(z *Reader) ([]byte, error) {
	h, err := s.chunks.next()
	if err != nil {
		return nil, err
	}
	if h.control == 0 {
		s.active = false
		return nil, s.finish(z)
	}
	s.makeRoom(h.out)
	if err := s.chunks.decode(h, s.window, s.pos); err != nil {
		return nil, err
	}
	out := s.window[s.pos : s.pos+h.out]
	s.pos += h.out
	s.produced += int64(h.out)
	if s.sum != nil {
		s.sum.Write(out)
	}
	return out, nil
}

// makeRoom makes sure that n bytes fit behind pos. The window grows only as
// data really comes; at its full size the older half slides out.
func (s *serialBlock) makeRoom(n int) {
	need := s.pos + n + copySlack
	if need <= len(s.window) {
		return
	}
	full := s.header.dict + max(8<<20, s.header.dict/4)
	if len(s.window) < full {
		grown := make([]byte, min(full, max(need, 2*len(s.window))))
		copy(grown, s.window[:s.pos])
		s.window = grown
	}
	if need <= len(s.window) {
		return
	}
	keep := min(s.pos, s.header.dict)
	copy(s.window, s.window[s.pos-keep:s.pos])
	s.chunks.low -= s.pos - keep
	s.pos = keep
}

// finish compares the block with what its header says and reads its tail.
func (s *serialBlock) finish(z *Reader) error {
	compressed := z.src.n - s.began
	if h := s.header; (h.compressed >= 0 && h.compressed != compressed) || (h.uncompressed >= 0 && h.uncompressed != s.produced) {
		return fmt.Errorf("%w: block's size differs from its header", ErrFormat)
	}
	n, _ := checkSize(z.check)
	tail := make([]byte, pad4(compressed)+n)
	if err := z.src.full(tail); err != nil {
		return err
	}
	z.index.add(int64(s.header.size)+compressed+int64(n), s.produced)
	return verifyTail(tail, s.sum, n)
}
