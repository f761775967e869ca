package capnplang

import (
	"cmp"
	"slices"
)

// structInfo is a struct or a group as it lies on the wire.
type structInfo struct {
	decl     *decl
	fields   []*field // in the order of their numbers
	byName   map[string]*field
	size     *structSpace // shared by a struct and its groups
	union    *unionSpace  // nil if it has no alternatives
	choices  int          // alternatives given out so far
	parent   *structInfo  // of a group
	asField  *field       // in the parent; nil until a member has a place
	inUnion  bool         // itself an alternative of the parent
	groupFor *typ
}

// field is a field or a group of a struct.
type field struct {
	name   string
	decl   *decl
	info   *structInfo // what it belongs to
	typ    *typ        // of a group: kindStruct with group set
	offset uint32      // in units of its size; of a pointer, in pointers
	choice int         // its discriminant, or -1
}

// slot is a member that waits for its place.
type slot struct {
	decl    *decl
	info    *structInfo
	space   space
	inUnion bool
	union   *unionSpace // the member is this union's discriminant
}

// structOf lays out a struct. Values of fields are not looked at.
func (l *loader) structOf(d *decl) (*structInfo, *Error) {
	if d.layout != nil {
		return d.layout, nil
	}
	top := &structSpace{}
	info := &structInfo{decl: d, size: top, byName: map[string]*field{}}
	var slots []slot
	if err := collect(d, info, top, &slots); err != nil {
		return nil, err
	}
	slices.SortStableFunc(slots, func(a, b slot) int { return cmp.Compare(a.decl.ordinal, b.decl.ordinal) })
	if err := checkOrdinals(slots); err != nil {
		return nil, err
	}
	for i := range slots {
		if err := l.place(&slots[i]); err != nil {
			return nil, err
		}
	}
	if top.words > 65535 || top.pointers > 65535 {
		return nil, d.errorf("the struct “%s” is too large", d.name)
	}
	d.layout = info
	return info, nil
}

func checkOrdinals(slots []slot) *Error {
	for i, s := range slots {
		d := s.decl
		switch {
		case d.ordinal == i:
		case i > 0 && d.ordinal == slots[i-1].decl.ordinal:
			return d.file.errorf(d.ordinalPos, "the number @%d is given twice", d.ordinal).
				hint("“%s” has it already.", slots[i-1].decl.name)
		default:
			return d.file.errorf(d.ordinalPos, "the number @%d is left out", i).
				hint("The numbers of a type go from @0 upwards without a gap.")
		}
	}
	return nil
}

// place finds the place of one member.
func (l *loader) place(s *slot) *Error {
	if s.union != nil {
		if !s.union.addTag() {
			return s.decl.file.errorf(s.decl.ordinalPos, "the number of a union must be smaller than the numbers of all of its members but one")
		}
		return nil
	}
	t, err := l.typeOf(s.decl.typ, s.decl.parent)
	if err != nil {
		return err
	}
	f := s.info.add(s.decl, t, s.inUnion)
	switch {
	case t.kind == kindVoid:
		s.space.addVoid()
	case t.isPointer():
		f.offset = s.space.addPointer()
	default:
		f.offset = s.space.addData(t.lgBits())
	}
	return nil
}

// add makes a field, and before it the group that it is in.
func (s *structInfo) add(d *decl, t *typ, inUnion bool) *field {
	if s.parent != nil && s.asField == nil {
		s.asField = s.parent.add(s.decl, s.groupFor, s.inUnion)
	}
	f := &field{name: d.name, decl: d, info: s, typ: t, choice: -1}
	if inUnion {
		f.choice = s.choices
		s.choices++
	}
	s.fields = append(s.fields, f)
	s.byName[d.name] = f
	return f
}

func (s *structInfo) fieldNames() []string {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.name
	}
	return names
}
