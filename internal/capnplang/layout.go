package capnplang

import (
	"cmp"
	"slices"
	"strconv"
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

// collect lists the members of a struct or group, outside of unions.
func collect(d *decl, info *structInfo, in space, slots *[]slot) *Error {
	for _, m := range d.members {
		switch m.kind {
		case declField:
			*slots = append(*slots, slot{decl: m, info: info, space: in})
		case declUnion:
			union := &unionSpace{outer: in}
			owner := info
			if m.name != "" {
				owner = info.group(m, false)
			} else if info.union != nil {
				return m.errorf("a second union without a name").hint("Give one of them a name: `name :union { … }`.")
			}
			if err := collectUnion(m, owner, union, slots); err != nil {
				return err
			}
		case declGroup:
			if len(m.members) == 0 {
				return m.errorf("the group “%s” is empty", m.name)
			}
			if err := collect(m, info.group(m, false), in, slots); err != nil {
				return err
			}
		}
	}
	return nil
}

// collectUnion lists the members of a union, each of which gets a space of its
// own.
func collectUnion(d *decl, info *structInfo, union *unionSpace, slots *[]slot) *Error {
	info.union = union
	if d.ordinal >= 0 {
		*slots = append(*slots, slot{decl: d, union: union})
	}
	members := 0
	for _, m := range d.members {
		own := &groupSpace{union: union}
		switch m.kind {
		case declField:
			*slots = append(*slots, slot{decl: m, info: info, space: own, inUnion: true})
		case declUnion:
			if m.name == "" {
				return m.errorf("a union without a name inside of a union").hint("Give it a name: `name :union { … }`.")
			}
			if err := collectUnion(m, info.group(m, true), &unionSpace{outer: own}, slots); err != nil {
				return err
			}
		case declGroup:
			if len(m.members) == 0 {
				return m.errorf("the group “%s” is empty", m.name)
			}
			if err := collect(m, info.group(m, true), own, slots); err != nil {
				return err
			}
		default:
			continue
		}
		members++
	}
	if members < 2 {
		return d.errorf("a union needs at least two members")
	}
	return nil
}

func (s *structInfo) group(d *decl, inUnion bool) *structInfo {
	g := &structInfo{decl: d, size: s.size, byName: map[string]*field{}, parent: s, inUnion: inUnion}
	g.groupFor = &typ{kind: kindStruct, decl: d, group: g}
	return g
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

// enumerants gives the names of an enum in the order of their numbers.
func (d *decl) enumerants() ([]string, *Error) {
	if d.enumNames != nil {
		return d.enumNames, nil
	}
	slots := make([]slot, 0, len(d.members))
	for _, m := range d.members {
		if m.ordinal < 0 {
			return nil, m.errorf("“%s” has no number", m.name).hint("Write `" + m.name + " @" + strconv.Itoa(len(slots)) + ";`.")
		}
		slots = append(slots, slot{decl: m})
	}
	slices.SortStableFunc(slots, func(a, b slot) int { return cmp.Compare(a.decl.ordinal, b.decl.ordinal) })
	if err := checkOrdinals(slots); err != nil {
		return nil, err
	}
	for _, s := range slots {
		d.enumNames = append(d.enumNames, s.decl.name)
	}
	return d.enumNames, nil
}
