package xz

import "encoding/binary"

// literal decodes a byte that follows a literal. Both probabilities that the
// next bit can have are fetched before it is known which one it will be, as
// waiting for memory would take a third of the time.
func (c coder) literal(in *[inputSize]byte, probs *[0x400]uint16) (coder, uint32) {
	symbol, prob := uint32(1), uint32(probs[1])
	for symbol < 0x100 {
		next0, next1 := uint32(probs[2*symbol&0x3ff]), uint32(probs[(2*symbol+1)&0x3ff])
		var zero, moved uint32
		c, zero, moved = c.normalize(in).split(prob)
		probs[symbol&0x3ff] = uint16(moved)
		symbol = symbol<<1 + 1 + zero
		prob = next1 ^ zero&(next0^next1)
	}
	return c, symbol & 0xff
}

// matchedLiteral decodes a byte that follows a match. It is probably not the
// one that the match would have gone on with, so that one, match, chooses the
// probabilities for as long as their bits agree.
func (c coder) matchedLiteral(in *[inputSize]byte, probs *[0x400]uint16, match uint32) (coder, uint32) {
	symbol, offset := uint32(1), uint32(0x100)
	for symbol < 0x100 {
		var zero uint32
		match <<= 1
		matchBit := match & offset
		c, zero = c.normalize(in).bit(&probs[(offset+matchBit+symbol)&0x3ff])
		symbol = symbol<<1 + 1 + zero
		// offset stays if the bits agree, else becomes 0 for the rest.
		offset &= matchBit ^ zero
	}
	return c, symbol & 0xff
}

// length decodes a match length, less minMatch.
func (c coder) length(in *[inputSize]byte, m *lengthModel, posState uint32) (coder, uint32) {
	c, zero := c.normalize(in).bit(&m.choice)
	if zero != 0 {
		return c.tree3(in, &m.low[posState&15])
	}
	c, zero = c.normalize(in).bit(&m.choice2)
	if zero != 0 {
		c, n := c.tree3(in, &m.mid[posState&15])
		return c, n + 8
	}
	symbol := uint32(1)
	for symbol < 0x100 {
		c, zero = c.normalize(in).bit(&m.high[symbol&0xff])
		symbol = symbol<<1 + 1 + zero
	}
	return c, symbol&0xff + 16
}

func (c coder) tree3(in *[inputSize]byte, probs *[8]uint16) (coder, uint32) {
	symbol := uint32(1)
	for symbol < 8 {
		var zero uint32
		c, zero = c.normalize(in).bit(&probs[symbol&7])
		symbol = symbol<<1 + 1 + zero
	}
	return c, symbol & 7
}

// distance decodes a match distance, less one.
func (c coder) distance(in *[inputSize]byte, d *model, length uint32) (coder, uint32) {
	slots := &d.distSlot[min(length, 3)]
	slot := uint32(1)
	for slot < distSlots {
		var zero uint32
		c, zero = c.normalize(in).bit(&slots[slot&(distSlots-1)])
		slot = slot<<1 + 1 + zero
	}
	slot -= distSlots
	if slot < 4 {
		return c, slot
	}
	bits := slot>>1 - 1
	dist := (2 | slot&1) << bits
	if slot < endPosModel {
		c, low := c.reverse(in, d.distSpec[(dist-slot)&127:], bits)
		return c, dist + low
	}
	// The middle bits are equally likely to be 0 or 1.
	direct := uint32(0)
	for range bits - alignBits {
		c = c.normalize(in)
		c.rng >>= 1
		c.code -= c.rng
		zero := uint32(int32(c.code) >> 31)
		c.code += c.rng & zero
		direct = direct<<1 + 1 + zero
	}
	c, low := c.reverse(in, d.align[:], alignBits)
	return c, dist + direct<<alignBits + low
}

// reverse decodes a number of n bits, lowest first.
func (c coder) reverse(in *[inputSize]byte, probs []uint16, n uint32) (coder, uint32) {
	symbol, out := uint32(1), uint32(0)
	for i := range n {
		if int(symbol) >= len(probs) {
			break // cannot be: n is below log2(len(probs))
		}
		var zero uint32
		c, zero = c.normalize(in).bit(&probs[symbol])
		symbol = symbol<<1 + 1 + zero
		out |= (1 + zero) << i
	}
	return c, out
}

// copySlack is how far past its end copyMatch may write.
const copySlack = 16

// copyMatch copies n bytes from dist before pos to pos. The two may overlap:
// then the bytes between them repeat. What lies copySlack bytes past the end
// may change.
func copyMatch(buf []byte, pos, dist, n int) {
	switch {
	case dist >= 16 && n <= 64:
		src, dst := buf[pos-dist:], buf[pos:]
		for i := 0; i < n; i += 16 {
			s, d := src[i:i+16:i+16], dst[i:i+16:i+16]
			a, b := binary.LittleEndian.Uint64(s), binary.LittleEndian.Uint64(s[8:])
			binary.LittleEndian.PutUint64(d, a)
			binary.LittleEndian.PutUint64(d[8:], b)
		}
	case dist >= n:
		copy(buf[pos:pos+n], buf[pos-dist:])
	case dist == 1:
		b, dst := buf[pos-1], buf[pos:pos+n]
		for i := range dst {
			dst[i] = b
		}
	default:
		for n > dist { // each round doubles what repeats
			copy(buf[pos:pos+dist], buf[pos-dist:pos])
			pos, n, dist = pos+dist, n-dist, 2*dist
		}
		copy(buf[pos:pos+n], buf[pos-dist:])
	}
}
