package capnplang

func (l *loader) evalList(e *expr, t *typ, scope *decl) (*Value, *Error) {
	if t.elem.kind == kindStruct {
		if _, err := l.structOf(t.elem.decl); err != nil {
			return nil, err
		}
	}
	v := &Value{typ: t, list: make([]*Value, 0, len(e.items))}
	for _, it := range e.items {
		if it.name != "" {
			return nil, scope.file.errorf(it.pos, "an element of a list has no name").hint("A struct is written as (name = value).")
		}
		element, err := l.eval(it.value, t.elem, scope)
		if err != nil {
			return nil, err
		}
		v.list = append(v.list, element)
	}
	return l.made(v, scope.file, e.pos)
}

// evalStruct evaluates (name = value, …) for a struct or a group.
func (l *loader) evalStruct(e *expr, t *typ, scope *decl) (*Value, *Error) {
	info := t.group
	if info == nil {
		var err *Error
		if info, err = l.structOf(t.decl); err != nil {
			return nil, err
		}
	}
	v := &Value{typ: t, fields: make([]setField, 0, len(e.items))}
	set := setFields{all: make(map[*field]bool, len(e.items))}
	for _, it := range e.items {
		f, err := set.pick(t, info, it, scope.file)
		if err != nil {
			return nil, err
		}
		value, err := l.eval(it.value, f.typeIn(t), scope)
		if err != nil {
			return nil, err
		}
		v.fields = append(v.fields, setField{f, value})
	}
	return l.made(v, scope.file, e.pos)
}

// setFields is what the items of one literal have set so far.
type setFields struct {
	all    map[*field]bool
	choice *field // of the union
}

// pick finds the field that an item sets, and checks that it goes with the
// fields set before.
func (s *setFields) pick(t *typ, info *structInfo, it item, src *source) (*field, *Error) {
	if it.name == "" {
		return nil, src.errorf(it.pos, "a member of a struct needs its name").hint("Write (name = value, …).")
	}
	f := info.byName[it.name]
	switch {
	case f == nil:
		return nil, src.errorf(it.pos, "%s has no field “%s”", t.titled(), shorten(it.name)).
			hint("%s", suggest(it.name, info.fieldNames(), "Its fields are"))
	case s.all[f]:
		return nil, src.errorf(it.pos, "the field “%s” is set twice", it.name).hint("Remove one of the two values.")
	case f.choice >= 0 && s.choice != nil:
		return nil, src.errorf(it.pos, "“%s” and “%s” exclude each other: they are members of one union", s.choice.name, it.name).
			hint("Remove one of them.")
	case f.choice >= 0:
		s.choice = f
	}
	s.all[f] = true
	return f, nil
}

func (t *typ) titled() string {
	switch {
	case t.group == nil:
		return "the struct " + t.decl.name
	case t.decl.kind == declUnion:
		return "the union “" + t.decl.name + "”"
	}
	return "the group “" + t.decl.name + "”"
}

// typeIn is the field's type in a value of type t, with the arguments of
// generics put in. Groups carry the arguments on.
func (f *field) typeIn(t *typ) *typ {
	if f.typ.group != nil {
		if len(t.brand) == 0 {
			return f.typ
		}
		group := *f.typ
		group.brand = t.brand
		return &group
	}
	return f.typ.with(t.brand)
}
