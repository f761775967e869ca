package capnplang

import "encoding/binary"

// typed reads a struct of an embedded message by its schema. What does not fit
// the schema counts as not set.
func (l *loader) typed(s *rawStruct, t *typ) (*Value, *Error) {
	info, err := l.infoOf(t)
	if err != nil {
		return nil, err
	}
	v := &Value{loader: l, typ: t}
	choice := -1
	if info.union != nil {
		choice = int(s.bits(info.union.tag, lgTag))
		v.unknownChoice = choice >= info.choices
	}
	for _, f := range info.fields {
		if f.choice >= 0 && f.choice != choice {
			continue
		}
		value, err := l.typedField(s, f, f.typeIn(t))
		if err != nil {
			return nil, err
		}
		if value != nil {
			v.fields = append(v.fields, setField{f, value})
		}
	}
	return v, nil
}

func (l *loader) typedField(s *rawStruct, f *field, t *typ) (*Value, *Error) {
	switch {
	case t.group != nil:
		return l.typed(s, t)
	case t.isPointer():
		if int(f.offset) >= len(s.pointers) {
			return nil, nil
		}
		return l.typedPointer(s.pointers[f.offset], t), nil
	case t.kind == kindVoid:
		return &Value{typ: t}, nil
	}
	bits, err := l.defaultBits(f)
	if err != nil {
		return nil, err
	}
	return &Value{typ: t, bits: s.bits(f.offset, t.lgBits()) ^ bits}, nil
}

// typedPointer gives nil for null.
func (l *loader) typedPointer(p rawPointer, t *typ) *Value {
	switch t.kind {
	case kindText:
		if text, ok := p.text(); ok {
			return &Value{typ: t, text: text}
		}
	case kindData:
		if text, ok := p.bytes(); ok {
			return &Value{typ: t, text: text}
		}
	case kindStruct:
		if p.target != nil {
			return &Value{loader: l, typ: t, raw: p.target}
		}
	case kindList:
		if p.list != nil {
			return typedList(p.list, t)
		}
	default:
		if p.target != nil || p.list != nil {
			return &Value{typ: t} // something of unknown type: null in JSON
		}
	}
	return nil
}

// typedList gives nil for a list that is not of type t.
func typedList(list *rawList, t *typ) *Value {
	elem := t.elem
	fits := false
	switch list.size {
	case sizeComposite:
		fits = elem.kind == kindStruct
	case sizePointer:
		fits = elem.isPointer() && elem.kind != kindStruct
	default:
		fits = !elem.isPointer() && list.size == codeOf(elem)
	}
	if !fits {
		return nil
	}
	return &Value{typ: t, rawList: list}
}

// element reads one element; nil for null. Elements are not kept: a list of bits
// has so many that they would not fit the memory.
func (l *loader) element(v *Value, i int) *Value {
	list, elem := v.rawList, v.typ.elem
	switch {
	case list.size == sizeComposite:
		return &Value{loader: l, typ: elem, raw: &list.structs[i]}
	case list.size == sizePointer:
		return l.typedPointer(list.pointers[i], elem)
	case elem.kind == kindVoid:
		return &Value{typ: elem}
	}
	s := rawStruct{data: list.data}
	return &Value{typ: elem, bits: s.bits(uint32(i), elem.lgBits())}
}

// codeOf is the code of a primitive type's size in a list pointer.
func codeOf(t *typ) int {
	switch lg := t.lgBits(); lg {
	case -1:
		return sizeVoid
	case 0:
		return sizeBit
	default:
		return lg - 1 // a byte is 2, …, a word 5
	}
}

// bits reads a value of 2^lg bits from the data section. What lies behind its end
// is zero.
func (s *rawStruct) bits(offset uint32, lg int) uint64 {
	at := int(offset) << lg / 64 * 8
	if at >= len(s.data) {
		return 0
	}
	word := binary.LittleEndian.Uint64(s.data[at:])
	return word >> (int(offset) << lg % 64) & (1<<(1<<lg) - 1)
}
