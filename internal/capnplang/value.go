package capnplang

// Value is an evaluated constant. Values are never changed after they were made,
// so that parts can be shared.
type Value struct {
	loader  *loader
	typ     *typ // what it is: never AnyPointer or a parameter
	bits    uint64
	text    string // Text or Data
	list    []*Value
	fields  []setField
	raw     *rawStruct // an embedded message instead of fields
	rawList *rawList   // part of one instead of list

	unknownChoice bool // raw chose a member of a union that the schema lacks

	words int64 // on the wire, behind the pointer to it
	cost  int64 // what it takes to go through all of it
	depth int   // pointers to follow
}

type setField struct {
	field *field
	value *Value
}

// TypeID is the id of a struct constant's type, as in the schema, for example
// 0x9f149fa71489be0b for a PackageDefinition. It is 0 for other constants.
func (v *Value) TypeID() uint64 {
	if v.typ.kind != kindStruct {
		return 0
	}
	return v.typ.decl.typeID()
}

// weigh sums up what v takes, and refuses what is too much: a few constants that
// repeat each other can stand for more than any machine holds.
func (v *Value) weigh(src *source, pos int32) *Error {
	v.cost = 1
	if t := v.typ; t.kind == kindStruct && t.group == nil && v.raw == nil {
		v.words = int64(t.decl.layout.size.words + t.decl.layout.size.pointers)
	}
	switch v.typ.kind {
	case kindText, kindData:
		v.words = int64(len(v.text)/8) + 1
		v.cost += v.words
	case kindList:
		v.weighList()
	}
	for _, f := range v.fields {
		v.include(f.value)
	}
	v.cost += v.words
	switch {
	case v.words > v.loader.maxWords || v.cost > 4*v.loader.maxWords:
		return src.errorf(pos, "this value is larger than %s", sizeText(v.loader.maxWords*8)).
			hint("Does a list or struct contain the same large constant many times?")
	case v.depth > maxDepth:
		return src.errorf(pos, "this value is nested deeper than %d levels", maxDepth)
	}
	return nil
}

// include adds the weight of a part.
func (v *Value) include(part *Value) {
	v.words += part.words
	v.cost += part.cost
	depth := part.depth
	if part.typ.isPointer() && part.typ.group == nil {
		depth++
	}
	v.depth = max(v.depth, depth)
}

func (v *Value) weighList() {
	elem := v.typ.elem
	switch {
	case elem.kind == kindStruct:
		v.words = 1 // the tag
	case elem.isPointer():
		v.words = int64(len(v.list))
	case elem.kind != kindVoid:
		v.words = (int64(len(v.list))<<elem.lgBits() + 63) / 64
	}
	for _, e := range v.list {
		v.include(e)
	}
	if elem.kind == kindStruct {
		data, pointers := v.elementSize()
		v.words = 1 + int64(len(v.list))*int64(data+pointers)
		for _, e := range v.list {
			v.words += e.words - e.ownWords()
		}
	}
}

// elementSize is the size in words of each element of a list of structs: that
// of the largest, since embedded messages may come from another version of the
// schema.
func (v *Value) elementSize() (data, pointers int) {
	size := v.typ.elem.decl.layout.size
	data, pointers = int(size.words), int(size.pointers)
	for _, e := range v.list {
		if e.raw != nil {
			data, pointers = max(data, len(e.raw.data)/8), max(pointers, len(e.raw.pointers))
		}
	}
	return data, pointers
}

// ownWords is the size of a struct without what it points to.
func (v *Value) ownWords() int64 {
	if v.raw != nil {
		return int64(len(v.raw.data)/8 + len(v.raw.pointers))
	}
	size := v.typ.decl.layout.size
	return int64(size.words + size.pointers)
}
