package capnplang

import (
	"encoding/binary"
	"fmt"
)

// Message gives a struct constant as a framed Cap'n Proto message of one
// segment.
func (v *Value) Message() ([]byte, error) {
	if v.typ.kind != kindStruct {
		return nil, fmt.Errorf("only a struct can be written as a message, not %s", v.typ.described())
	}
	const header = 8
	b := &builder{buf: make([]byte, header+8, header+8*(1+v.words))}
	if err := b.pointerTo(header, v); err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(b.buf[4:], uint32((len(b.buf)-header)/8))
	return b.buf, nil
}

// builder appends objects to one segment. Its positions are bytes in buf, which
// starts with the 8-byte frame header; only differences matter on the wire.
type builder struct {
	buf []byte
}

// alloc appends zeroed words.
func (b *builder) alloc(words int) int {
	at := len(b.buf)
	b.buf = append(b.buf, make([]byte, 8*words)...)
	return at
}

func (b *builder) put(at int, word uint64) { binary.LittleEndian.PutUint64(b.buf[at:], word) }

// The four kinds of pointers, and the codes of element sizes.
// https://capnproto.org/encoding.html
const (
	pointerStruct = 0
	pointerList   = 1

	sizeVoid      = 0
	sizeBit       = 1
	sizeByte      = 2
	sizePointer   = 6
	sizeComposite = 7
)

func (b *builder) structPointer(at, target, data, pointers int) {
	offset := (target - at - 8) / 8
	if data+pointers == 0 {
		offset = -1 // an empty struct is not a null pointer
	}
	b.put(at, uint64(uint32(offset)<<2|pointerStruct)|uint64(data)<<32|uint64(pointers)<<48)
}

func (b *builder) listPointer(at, target, size, count int) {
	offset := (target - at - 8) / 8
	b.put(at, uint64(uint32(offset)<<2|pointerList)|uint64(size)<<32|uint64(count)<<35)
}

// pointerTo writes v and, at a place that exists, the pointer to it.
func (b *builder) pointerTo(at int, v *Value) *Error {
	switch v.typ.kind {
	case kindText:
		return b.bytes(at, v.text, 1)
	case kindData:
		return b.bytes(at, v.text, 0)
	case kindList:
		return b.list(at, v)
	}
	if v.raw != nil {
		b.rawStructPointer(at, v.raw)
		return nil
	}
	size := v.typ.decl.layout.size
	target := b.alloc(int(size.words + size.pointers))
	b.structPointer(at, target, int(size.words), int(size.pointers))
	return b.fill(target, target+8*int(size.words), v)
}

// bytes writes a byte list, with some zero bytes behind that count: a Text ends
// with one.
func (b *builder) bytes(at int, text string, zeros int) *Error {
	n := len(text) + zeros
	target := b.alloc((n + 7) / 8)
	copy(b.buf[target:], text)
	b.listPointer(at, target, sizeByte, n)
	return nil
}

func (b *builder) list(at int, v *Value) *Error {
	elem := v.typ.elem
	n := len(v.list)
	switch {
	case elem.kind == kindStruct:
		return b.structList(at, v)
	case elem.isPointer():
		target := b.alloc(n)
		b.listPointer(at, target, sizePointer, n)
		for i, e := range v.list {
			if err := b.pointerTo(target+8*i, e); err != nil {
				return err
			}
		}
		return nil
	case elem.kind == kindVoid:
		b.listPointer(at, len(b.buf), sizeVoid, n)
		return nil
	}
	lg := elem.lgBits()
	target := b.alloc((n<<lg + 63) / 64)
	b.listPointer(at, target, codeOf(elem), n)
	for i, e := range v.list {
		b.xor(target, uint32(i), lg, e.bits)
	}
	return nil
}

func (b *builder) structList(at int, v *Value) *Error {
	data, pointers := v.elementSize()
	n := len(v.list)
	step := data + pointers
	tag := b.alloc(1 + n*step)
	b.listPointer(at, tag, sizeComposite, n*step)
	b.put(tag, uint64(n)<<2|pointerStruct|uint64(data)<<32|uint64(pointers)<<48)
	for i, e := range v.list {
		target := tag + 8 + 8*i*step
		if e.raw != nil {
			b.rawFill(target, target+8*data, e.raw)
		} else if err := b.fill(target, target+8*data, e); err != nil {
			return err
		}
	}
	return nil
}

// xor puts a value of 2^lg bits into a data section. Values lie there combined
// with the default, so that zero bytes mean the default.
func (b *builder) xor(data int, offset uint32, lg int, bits uint64) {
	if lg == 0 {
		b.buf[data+int(offset/8)] ^= byte(bits&1) << (offset % 8)
		return
	}
	width := 1 << (lg - 3)
	at := data + int(offset)*width
	for i := range width {
		b.buf[at+i] ^= byte(bits >> (8 * i))
	}
}

// fill writes the fields of a struct or group.
func (b *builder) fill(data, pointers int, v *Value) *Error {
	for _, set := range v.fields {
		f := set.field
		if f.choice >= 0 {
			b.xor(data, f.info.union.tag, lgTag, uint64(f.choice))
		}
		var err *Error
		switch {
		case f.typ.group != nil:
			err = b.fill(data, pointers, set.value)
		case f.typ.isPointer():
			err = b.pointerTo(pointers+8*int(f.offset), set.value)
		case f.typ.kind != kindVoid:
			var bits uint64
			bits, err = v.loader.defaultBits(f)
			b.xor(data, f.offset, f.typ.lgBits(), set.value.bits^bits)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
