package capnplang

import "strings"

func (r *rawReader) list(segment int, word int64, size int, count int64, depth int) (*rawList, error) {
	list := &rawList{size: size, count: int(count)}
	var err error
	switch size {
	case sizePointer:
		list.pointers, err = r.pointers(segment, word, count, depth)
	case sizeComposite:
		err = r.composite(list, segment, word, count, depth)
	default:
		bits := count * [...]int64{0, 1, 8, 16, 32, 64}[size]
		var s string
		s, err = r.span(segment, word, (bits+63)/64)
		list.data = []byte(s)
	}
	return list, err
}

func (r *rawReader) composite(list *rawList, segment int, word, words int64, depth int) error {
	s, err := r.span(segment, word, 1)
	if err != nil {
		return err
	}
	tag := u64(s)
	count, data, pointers := int64(uint32(tag)>>2), int64(tag>>32&0xffff), int64(tag>>48)
	if tag&3 != pointerStruct || count*(data+pointers) > words {
		return errPointer
	}
	if r.structs += count; r.structs > maxRawStructs {
		return errTooLarge
	}
	list.count = int(count)
	list.structs = make([]rawStruct, count)
	for i := range list.structs {
		at := word + 1 + int64(i)*(data+pointers)
		if list.structs[i], err = r.structAt(segment, at, data, pointers, depth); err != nil {
			return err
		}
	}
	return nil
}

// text gives a byte list without its terminating zero.
func (p rawPointer) text() (string, bool) {
	s, ok := p.bytes()
	return strings.TrimSuffix(s, "\x00"), ok && strings.HasSuffix(s, "\x00")
}

func (p rawPointer) bytes() (string, bool) {
	if p.list == nil || p.list.size != sizeByte {
		return "", false
	}
	return string(p.list.data[:p.list.count]), true
}
