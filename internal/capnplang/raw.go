package capnplang

import (
	"encoding/binary"
	"errors"
)

// rawStruct is a struct of an embedded message. All that the message has is kept,
// also what the schema does not know.
type rawStruct struct {
	data     []byte // whole words
	pointers []rawPointer
}

// rawPointer is what a pointer leads to; the zero value is null.
type rawPointer struct {
	target *rawStruct
	list   *rawList
}

type rawList struct {
	size     int          // code of the element size
	count    int          // of elements
	data     []byte       // of primitive elements; whole words
	pointers []rawPointer // of pointer elements
	structs  []rawStruct  // of composite elements, all of one size
}

const maxRawStructs = 2 << 20

// rawReader reads a message of several segments. left bounds what is read
// altogether: pointers may lead to one object many times.
type rawReader struct {
	segments []string
	left     int64 // words
	structs  int64 // in lists; each costs memory, even if it is empty
	deepest  int
}

var (
	errTruncated  = errors.New("it is cut off, or a pointer leads out of it")
	errTooLarge   = errors.New("it is too large when unfolded")
	errTooDeep    = errors.New("it is nested too deeply")
	errCapability = errors.New("it contains a capability")
	errPointer    = errors.New("it contains a malformed pointer")
)

func (r *rawReader) message(text string) (*rawStruct, error) {
	if len(text)%8 != 0 || len(text) < 8 {
		return nil, errTruncated
	}
	count := int64(u32(text)) + 1
	table := (4*(count+1) + 7) / 8 * 8
	if count > 512 || table > int64(len(text)) {
		return nil, errTruncated
	}
	rest := text[table:]
	for i := range count {
		size := int64(u32(text[4+4*i:])) * 8
		if size > int64(len(rest)) {
			return nil, errTruncated
		}
		r.segments = append(r.segments, rest[:size])
		rest = rest[size:]
	}
	root, err := r.pointer(0, 0, 0)
	switch {
	case err != nil:
		return nil, err
	case root.list != nil:
		return nil, errPointer
	case root.target == nil:
		return &rawStruct{}, nil
	}
	return root.target, nil
}

func u32(s string) uint32 { return binary.LittleEndian.Uint32([]byte(s[:4])) }
func u64(s string) uint64 { return binary.LittleEndian.Uint64([]byte(s[:8])) }

// span gives words of a segment, and takes them off what may be read.
func (r *rawReader) span(segment int, word, words int64) (string, error) {
	if segment >= len(r.segments) {
		return "", errTruncated
	}
	s := r.segments[segment]
	if word < 0 || words < 0 || word+words > int64(len(s)/8) {
		return "", errTruncated
	}
	if r.left -= words; r.left < 0 {
		return "", errTooLarge
	}
	return s[word*8 : (word+words)*8], nil
}

// pointer reads the pointer at a word, and what it leads to.
func (r *rawReader) pointer(segment int, word int64, depth int) (rawPointer, error) {
	if depth > maxDepth {
		return rawPointer{}, errTooDeep
	}
	r.deepest = max(r.deepest, depth)
	s, err := r.span(segment, word, 1)
	if err != nil {
		return rawPointer{}, err
	}
	p := u64(s)
	target := word + 1 + int64(int32(p)>>2)
	if p&3 == 2 {
		if segment, p, target, err = r.far(p); err != nil {
			return rawPointer{}, err
		}
	}
	switch {
	case p == 0:
		return rawPointer{}, nil
	case p&3 == pointerStruct:
		st, err := r.structAt(segment, target, int64(p>>32&0xffff), int64(p>>48), depth)
		return rawPointer{target: &st}, err
	case p&3 == pointerList:
		list, err := r.list(segment, target, int(p>>32&7), int64(p>>35), depth)
		return rawPointer{list: list}, err
	case p&3 == 3:
		return rawPointer{}, errCapability
	}
	return rawPointer{}, errPointer
}

// far follows a pointer into another segment to where the object's own pointer
// stands; if the far one is double, to where the object itself stands.
func (r *rawReader) far(p uint64) (segment int, object uint64, target int64, err error) {
	segment = int(p >> 32)
	pad := int64(uint32(p) >> 3)
	words := int64(1 + p>>2&1)
	s, err := r.span(segment, pad, words)
	if err != nil {
		return 0, 0, 0, err
	}
	object = u64(s)
	if words == 1 {
		if object&3 == 2 {
			return 0, 0, 0, errPointer
		}
		return segment, object, pad + 1 + int64(int32(object)>>2), nil
	}
	if object&7 != 2 {
		return 0, 0, 0, errPointer
	}
	return int(object >> 32), u64(s[8:]), int64(uint32(object) >> 3), nil
}

func (r *rawReader) structAt(segment int, word, data, pointers int64, depth int) (rawStruct, error) {
	if data+pointers == 0 {
		return rawStruct{}, nil
	}
	s, err := r.span(segment, word, data)
	if err != nil {
		return rawStruct{}, err
	}
	st := rawStruct{data: []byte(s)}
	st.pointers, err = r.pointers(segment, word+data, pointers, depth)
	return st, err
}

func (r *rawReader) pointers(segment int, word, n int64, depth int) ([]rawPointer, error) {
	if _, err := r.span(segment, word, n); err != nil {
		return nil, err
	}
	r.left += n // pointer takes them off again
	all := make([]rawPointer, n)
	for i := range all {
		var err error
		if all[i], err = r.pointer(segment, word+int64(i), depth+1); err != nil {
			return nil, err
		}
	}
	return all, nil
}
