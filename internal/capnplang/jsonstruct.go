package capnplang

import "slices"

// structure writes a struct or group; v is nil for a null one, of type t.
func (w *jsonWriter) structure(v *Value, t *typ) *Error {
	info, err := w.loader.infoOf(t)
	if err != nil {
		return err
	}
	if v != nil && v.raw != nil {
		if v, err = w.loader.typed(v.raw, t); err != nil {
			return err
		}
	}
	o := &jsonObject{w: w, typ: t, set: map[*field]*Value{}}
	if v != nil {
		for _, s := range v.fields {
			o.set[s.field] = s.value
		}
	}
	w.buf = append(w.buf, '{')
	w.indent++
	if err := o.members(info, v); err != nil {
		return err
	}
	w.indent--
	if o.count > 0 {
		w.newline()
	}
	w.buf = append(w.buf, '}')
	return nil
}

func (l *loader) infoOf(t *typ) (*structInfo, *Error) {
	if t.group != nil {
		return t.group, nil
	}
	return l.structOf(t.decl)
}

type jsonObject struct {
	w     *jsonWriter
	typ   *typ
	set   map[*field]*Value
	count int
}

func (o *jsonObject) members(info *structInfo, v *Value) *Error {
	var chosen *field
	for _, f := range info.fields {
		if f.choice >= 0 {
			if o.set[f] != nil || f.choice == 0 && chosen == nil {
				chosen = f
			}
			continue
		}
		if f.typ.isPointer() && f.typ.group == nil && o.set[f] == nil {
			continue
		}
		if err := o.member(f); err != nil {
			return err
		}
	}
	if chosen == nil || v != nil && v.unknownChoice {
		return nil
	}
	return o.member(chosen)
}

func (o *jsonObject) member(f *field) *Error {
	w := o.w
	if o.count > 0 {
		w.buf = append(w.buf, ',')
	}
	o.count++
	w.newline()
	w.text(f.name)
	w.buf = append(w.buf, ": "...)
	t := f.typeIn(o.typ)
	if value := o.set[f]; value != nil || f.typ.group != nil {
		return w.value(value, t)
	}
	return w.unsetMember(f, t)
}

// unset is a pointer that is not set; in generics one field has several types.
type unset struct {
	field *field
	decl  *decl
}

// unsetMember writes a primitive that has its default, or the pointer that a
// union begins with. That one may lead to another such union, and so on; where
// this goes round in a circle, or far, it ends with null.
func (w *jsonWriter) unsetMember(f *field, t *typ) *Error {
	const far = 8
	value, err := w.loader.defaultOf(f)
	switch {
	case err != nil:
		return err
	case !t.isPointer() && value == nil:
		return w.value(&Value{typ: t}, t)
	case !t.isPointer():
		return w.value(value, t)
	case len(w.unset) == far || slices.Contains(w.unset, unset{f, t.decl}):
		w.buf = append(w.buf, "null"...)
		return nil
	}
	w.unset = append(w.unset, unset{f, t.decl})
	err = w.value(value, t)
	w.unset = w.unset[:len(w.unset)-1]
	return err
}
