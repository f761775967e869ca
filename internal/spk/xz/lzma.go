package xz

import "encoding/binary"

// Sizes of the LZMA model (the LZMA specification, "LZMA Decoder").
const (
	probInit    = 1 << 10
	states      = 12
	posStates   = 16
	minMatch    = 2
	distSlots   = 64
	alignBits   = 4
	endPosModel = 14 // distance slots from here on have directly coded bits
)

// inputSize is a power of two that a chunk's compressed data (at most 64 KiB)
// fits in together with what a damaged one may read past its end.
const inputSize = 1 << 17

// lengthModel decodes match lengths.
type lengthModel struct {
	choice, choice2 uint16
	low, mid        [posStates][8]uint16
	high            [256]uint16
}

// model is the state of an LZMA decoder. It decodes into a flat buffer that is
// at the same time the dictionary: no byte is copied a second time.
type model struct {
	state          uint32
	rep            [4]uint32 // distances of the last matches, less one
	lc             uint32
	posMask        uint32
	literalPosMask uint32

	// Arrays are larger than the model needs where this lets the compiler see
	// that no index is out of range.
	isMatch  [256]uint16 // by state<<4 | position
	isRep0L  [256]uint16 // "long" rep0
	isRep    [16]uint16
	isRep0   [16]uint16
	isRep1   [16]uint16
	isRep2   [16]uint16
	distSlot [4][distSlots]uint16
	distSpec [128]uint16
	align    [1 << alignBits]uint16
	matchLen lengthModel
	repLen   lengthModel
	literal  [16 << 10]uint16 // 16 contexts of 0x300, each in 0x400

	in [inputSize]byte // the chunk's compressed data
}

// setProps takes lc, lp and pb out of a properties byte.
func (d *model) setProps(b byte) bool {
	if b > (4*5+4)*9+8 {
		return false
	}
	lc, lp, pb := uint32(b)%9, uint32(b)/9%5, uint32(b)/45
	if lc+lp > 4 {
		return false
	}
	d.lc, d.literalPosMask, d.posMask = lc, 1<<lp-1, 1<<pb-1
	return true
}

// reset forgets all statistics and distances.
func (d *model) reset() {
	d.state, d.rep = 0, [4]uint32{}
	for _, p := range [][]uint16{
		d.isMatch[:], d.isRep0L[:], d.isRep[:], d.isRep0[:], d.isRep1[:], d.isRep2[:],
		d.distSpec[:], d.align[:], d.literal[:],
	} {
		fill(p)
	}
	for i := range d.distSlot {
		fill(d.distSlot[i][:])
	}
	d.matchLen.reset()
	d.repLen.reset()
}

func (l *lengthModel) reset() {
	l.choice, l.choice2 = probInit, probInit
	for i := range l.low {
		fill(l.low[i][:])
		fill(l.mid[i][:])
	}
	fill(l.high[:])
}

func fill(probs []uint16) {
	for i := range probs {
		probs[i] = probInit
	}
}

// coder is the state of the range decoder. It is passed by value so that the
// compiler keeps it in registers.
type coder struct {
	rng, code uint32
	pos       uint32 // of the next byte of input
}

// normalize makes room for decoding one bit.
func (c coder) normalize(in *[inputSize]byte) coder {
	if c.rng < 1<<24 {
		return coder{c.rng << 8, c.code<<8 | uint32(in[c.pos%inputSize]), c.pos + 1}
	}
	return c
}

// riseBias is 31-2048: it makes the rounding of a rising probability right.
const riseBias = 0xfffff81f

// split decodes one bit whose probability to be 0 is prob/2048, without a
// branch, as the bits of literals, lengths and distances are hard to predict.
// zero is all ones if the bit is 0, else 0; moved is the new probability.
func (c coder) split(prob uint32) (_ coder, zero, moved uint32) {
	bound := (c.rng >> 11) * prob
	zero = uint32(int64(uint64(c.code)-uint64(bound)) >> 32)
	rest := c.rng - bound
	c.rng = rest + zero&(bound-rest)
	c.code -= bound &^ zero
	// 0 moves prob by 1/32 of the way up to 2048, 1 likewise down to 0.
	return c, zero, prob - uint32(int32(prob+zero&riseBias)>>5)
}

// bit decodes one bit with the probability in p.
func (c coder) bit(p *uint16) (coder, uint32) {
	c, zero, moved := c.split(uint32(*p))
	*p = uint16(moved)
	return c, zero
}

// decode decodes one chunk, whose compressed bytes are in d.in[:size], to
// buf[pos:end]. Matches reach back at most to buf[low] and to dict bytes before
// their place. buf is at least copySlack longer than end.
func (d *model) decode(size int, buf []byte, low, pos, end, dict int) bool {
	if size < 5 || d.in[0] != 0 {
		return false
	}
	in := &d.in
	c := coder{rng: 0xffffffff, code: binary.BigEndian.Uint32(in[1:]), pos: 5}
	state := d.state
	rep0, rep1, rep2, rep3 := d.rep[0], d.rep[1], d.rep[2], d.rep[3]
	var prev uint32
	if pos > low {
		prev = uint32(buf[pos-1])
	}
	for pos < end {
		if c.pos > uint32(size) {
			return false
		}
		// Positions count from the last reset of the dictionary.
		posState := uint32(pos-low) & d.posMask
		c = c.normalize(in)
		p := &d.isMatch[uint8(state<<4|posState)]
		if bound := (c.rng >> 11) * uint32(*p); c.code < bound {
			c.rng = bound
			*p += (1<<11 - *p) >> 5
			context := uint32(pos-low)&d.literalPosMask<<d.lc | prev>>(8-d.lc)
			probs := (*[0x400]uint16)(d.literal[context<<10:])
			if state < 7 {
				c, prev = c.literal(in, probs)
			} else {
				if int(rep0) >= pos-low {
					return false
				}
				c, prev = c.matchedLiteral(in, probs, uint32(buf[pos-int(rep0)-1]))
			}
			buf[pos] = byte(prev)
			pos++
			state = literalState[state&15]
			continue
		} else {
			c.rng -= bound
			c.code -= bound
			*p -= *p >> 5
		}

		var length uint32
		c = c.normalize(in)
		p = &d.isRep[state&15]
		if bound := (c.rng >> 11) * uint32(*p); c.code < bound {
			c.rng = bound
			*p += (1<<11 - *p) >> 5
			rep1, rep2, rep3 = rep0, rep1, rep2
			c, length = c.length(in, &d.matchLen, posState)
			c, rep0 = c.distance(in, d, length)
			state = matchState(state)
		} else {
			c.rng -= bound
			c.code -= bound
			*p -= *p >> 5
			var zero uint32
			c, zero = c.normalize(in).bit(&d.isRep0[state&15])
			if zero != 0 {
				c, zero = c.normalize(in).bit(&d.isRep0L[uint8(state<<4|posState)])
				if zero != 0 { // one byte, from where the last match came
					if int(rep0) >= min(pos-low, dict) {
						return false
					}
					prev = uint32(buf[pos-int(rep0)-1])
					buf[pos] = byte(prev)
					pos++
					state = shortRepState(state)
					continue
				}
			} else {
				c, zero = c.normalize(in).bit(&d.isRep1[state&15])
				if zero != 0 {
					rep0, rep1 = rep1, rep0
				} else {
					c, zero = c.normalize(in).bit(&d.isRep2[state&15])
					if zero != 0 {
						rep0, rep1, rep2 = rep2, rep0, rep1
					} else {
						rep0, rep1, rep2, rep3 = rep3, rep0, rep1, rep2
					}
				}
			}
			c, length = c.length(in, &d.repLen, posState)
			state = repState(state)
		}
		n := int(length) + minMatch
		if int(rep0) >= min(pos-low, dict) || n > end-pos {
			return false
		}
		copyMatch(buf, pos, int(rep0)+1, n)
		pos += n
		prev = uint32(buf[pos-1])
	}
	d.state, d.rep = state, [4]uint32{rep0, rep1, rep2, rep3}
	c = c.normalize(in)
	return c.pos == uint32(size) && c.code == 0
}

// literalState is the state after a literal, by the state before.
var literalState = [16]uint32{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5}

func matchState(state uint32) uint32 {
	if state < 7 {
		return 7
	}
	return 10
}

func repState(state uint32) uint32 {
	if state < 7 {
		return 8
	}
	return 11
}

func shortRepState(state uint32) uint32 {
	if state < 7 {
		return 9
	}
	return 11
}
