package capnplang

// The layout of structs on the wire. Fields are placed in the order of their
// numbers, so that fields which a later version of a schema adds never move
// earlier ones; the padding that alignment leaves is remembered as holes and
// filled by later small fields. Sizes are binary logarithms of bits: 0 is a bit,
// 6 a word. Offsets count units of the field's own size.

const lgWord = 6

// holes has for each size at most one gap: its offset, or 0 for none. 0 is never
// a gap, since something always stands at the beginning. Two gaps of one size
// cannot be: the first of them would have been used.
type holes [lgWord]uint32

// take finds a place of the given size by halving larger gaps.
func (h *holes) take(size int) (uint32, bool) {
	if size >= lgWord {
		return 0, false
	}
	if at := h[size]; at != 0 {
		h[size] = 0
		return at, true
	}
	at, ok := h.take(size + 1)
	if !ok {
		return 0, false
	}
	h[size] = at*2 + 1
	return at * 2, true
}

// addAfter records the gaps between a field that ends at offset (in units of
// size) and the next boundary of limit.
func (h *holes) addAfter(size int, offset uint32, limit int) {
	for ; size < limit; size++ {
		h[size] = offset
		offset = (offset + 1) / 2
	}
}

// smallest gives the size of the smallest gap that holds size, or -1.
func (h *holes) smallest(size int) int {
	for ; size < lgWord; size++ {
		if h[size] != 0 {
			return size
		}
	}
	return -1
}

// widen makes a field 2^by times as large if the gaps behind it allow that.
func (h *holes) widen(size int, offset uint32, by int) bool {
	if by == 0 {
		return true
	}
	if size >= lgWord || h[size] != offset+1 || offset%2 != 0 {
		return false
	}
	if !h.widen(size+1, offset/2, by-1) {
		return false
	}
	h[size] = 0
	return true
}

// space is what fields are placed in: a struct, or a group within a union.
type space interface {
	addVoid()
	addData(size int) uint32
	addPointer() uint32
	widen(size int, offset uint32, by int) bool
}

// structSpace is the whole of a struct.
type structSpace struct {
	words, pointers uint32
	holes           holes
}

func (s *structSpace) addVoid() {}

func (s *structSpace) addData(size int) uint32 {
	if at, ok := s.holes.take(size); ok {
		return at
	}
	at := s.words << (lgWord - size)
	s.words++
	s.holes.addAfter(size, at+1, lgWord)
	return at
}

func (s *structSpace) addPointer() uint32 {
	s.pointers++
	return s.pointers - 1
}

func (s *structSpace) widen(size int, offset uint32, by int) bool {
	return s.holes.widen(size, offset, by)
}
