package capnplang

import "math"

// evalName evaluates a plain name: an enumerant, a keyword, or, wrongly, a
// constant: constants want a path, so that they are not confused with the
// others.
func (l *loader) evalName(e *expr, t *typ, scope *decl) (*Value, *Error) {
	src := scope.file
	if t.kind == kindEnum {
		names, err := t.decl.enumerants()
		if err != nil {
			return nil, err
		}
		for i, name := range names {
			if name == e.text {
				return l.made(&Value{typ: t, bits: uint64(i)}, src, e.pos)
			}
		}
	}
	if v, ok := keyword(e.text, t); ok {
		if v == nil {
			return nil, mismatch(e, t, src)
		}
		return l.made(v, src, e.pos)
	}
	r, err := l.resolve(e, scope)
	if err == nil && r.decl != nil && r.decl.kind == declConst {
		full := r.decl.path()
		if r.decl.parent.kind == declFile {
			full = "." + full
		}
		return nil, src.errorf(e.pos, "“%s” is a constant and needs its path", e.text).hint("Write %s.", full)
	}
	if err != nil && err.Hint != "" && t.kind == kindEnum {
		names, _ := t.decl.enumerants()
		return nil, src.errorf(e.pos, "the enum %s has no “%s”", t, shorten(e.text)).
			hint("%s", suggest(e.text, names, "It has"))
	}
	if err != nil {
		return nil, err
	}
	return nil, mismatch(e, t, src)
}

// keyword gives the value of a word that is one; nil if it does not fit t.
func keyword(word string, t *typ) (*Value, bool) {
	v := &Value{typ: t}
	var fits bool
	switch word {
	case "void":
		fits = t.kind == kindVoid
	case "true", "false":
		fits = t.kind == kindBool
		if word == "true" {
			v.bits = 1
		}
	case "inf", "nan":
		fits = t.kind == kindFloat32 || t.kind == kindFloat64
		v.bits = infBits
		if word == "nan" {
			v.bits = 0x7ff8000000000000
		}
		if t.kind == kindFloat32 {
			v.bits = uint64(math.Float32bits(float32(math.Float64frombits(v.bits))))
		}
	default:
		return nil, false
	}
	if !fits {
		v = nil
	}
	return v, true
}

func (l *loader) evalReference(e *expr, t *typ, scope *decl) (*Value, *Error) {
	r, err := l.resolve(e, scope)
	if err != nil {
		return nil, err
	}
	if r.decl == nil || r.decl.kind != declConst {
		what := "a type"
		if r.decl != nil {
			what = r.decl.kind.String()
		}
		return nil, scope.file.errorf(e.pos, "“%s” is %s, not a constant", shorten(e.String()), what)
	}
	v, err := l.constant(r.decl)
	if err != nil {
		return nil, err
	}
	return l.convert(v, t, e, scope.file)
}

// convert lets a constant stand for a value of type t.
func (l *loader) convert(v *Value, t *typ, e *expr, src *source) (*Value, *Error) {
	fits := false
	switch t.kind {
	case kindAnyPointer:
		fits = v.typ.isPointer()
	case kindAnyStruct:
		fits = v.typ.kind == kindStruct
	case kindAnyList:
		fits = v.typ.kind == kindList
	default:
		fits = v.typ.same(t)
	}
	switch {
	case fits:
		return v, nil
	case v.typ.kind >= kindInt8 && v.typ.kind <= kindUInt64:
		return l.evalInt(v.asExpr(e.pos), t, src)
	case v.typ.kind == kindFloat32 || v.typ.kind == kindFloat64:
		return l.evalFloat(v.asExpr(e.pos), t, src)
	}
	return nil, src.errorf(e.pos, "expected %s, but “%s” is %s", t.described(), shorten(e.String()), v.typ.described())
}
