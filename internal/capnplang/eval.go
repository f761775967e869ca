package capnplang

import "math"

var infBits = math.Float64bits(math.Inf(1))

// constValue evaluates a constant, once.
func (l *loader) constValue(d *decl) (*Value, error) {
	v, err := l.constant(d)
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (l *loader) constant(d *decl) (*Value, *Error) {
	if d.constant != nil {
		return d.constant, nil
	}
	if d.busy {
		return nil, d.errorf("the constant “%s” depends on itself", d.name).
			hint("Break the circle of constants that refer to each other.")
	}
	if err := l.enter(d.file, d.pos); err != nil {
		return nil, err
	}
	defer l.leave()
	d.busy = true
	defer func() { d.busy = false }()
	t, err := l.typeOf(d.typ, d.parent)
	if err != nil {
		return nil, err
	}
	d.constant, err = l.eval(d.value, t.with(nil), d.parent)
	return d.constant, err
}

// eval evaluates an expression that must have type t; names in it are looked up
// in scope.
func (l *loader) eval(e *expr, t *typ, scope *decl) (*Value, *Error) {
	src := scope.file
	switch t.kind {
	case kindInterface, kindCapability:
		return nil, src.errorf(e.pos, "a capability has no value that could be written down").
			hint("Leave this field out.")
	}
	switch e.kind {
	case exprName:
		return l.evalName(e, t, scope)
	case exprRooted, exprMember, exprImport, exprApply:
		return l.evalReference(e, t, scope)
	case exprEmbed:
		return l.evalEmbed(e, t, scope)
	case exprInt:
		return l.evalInt(e, t, src)
	case exprFloat:
		return l.evalFloat(e, t, src)
	case exprText:
		if t.kind == kindText || t.kind == kindData {
			return l.made(&Value{typ: t, text: e.text}, src, e.pos)
		}
	case exprData:
		if t.kind == kindData {
			return l.made(&Value{typ: t, text: e.text}, src, e.pos)
		}
	case exprList:
		if t.kind == kindList {
			return l.evalList(e, t, scope)
		}
	case exprTuple:
		if t.kind == kindStruct {
			return l.evalStruct(e, t, scope)
		}
	}
	return nil, mismatch(e, t, src)
}

func (l *loader) made(v *Value, src *source, pos int32) (*Value, *Error) {
	v.loader = l
	return v, v.weigh(src, pos)
}

// mismatch says what was expected and how to write it.
func mismatch(e *expr, t *typ, src *source) *Error {
	err := src.errorf(e.pos, "expected %s, found %s", t.described(), e.described())
	switch t.kind {
	case kindAnyPointer, kindAnyStruct, kindAnyList:
		return err.hint("Define a constant, which says the type, and refer to it: `const tag :Type = …;` and here `.tag`.")
	case kindStruct:
		return err.hint("A struct is written as (name = value, …).")
	case kindList:
		return err.hint("A list is written as [value, …].")
	case kindText:
		return err.hint("A text is written as \"…\".")
	case kindData:
		return err.hint("Bytes are written as 0x\"01 ab\", or come from a file: embed \"path\".")
	case kindBool:
		return err.hint("Write true or false.")
	case kindVoid:
		return err.hint("Write void.")
	case kindEnum:
		names, _ := t.decl.enumerants()
		return err.hint("%s", suggest(e.text, names, t.decl.name+" has"))
	}
	return err
}

func (t *typ) described() string {
	switch {
	case t.group != nil:
		return "the members of a group"
	case t.kind == kindStruct:
		return "the struct " + t.String()
	case t.kind == kindEnum:
		return "the enum " + t.String()
	}
	return t.String()
}

func (e *expr) described() string {
	switch e.kind {
	case exprInt:
		return "an integer"
	case exprFloat:
		return "a number with a fraction"
	case exprText:
		return "a text"
	case exprData:
		return "bytes"
	case exprList:
		return "a list"
	case exprTuple:
		return "a struct"
	}
	return "“" + shorten(e.String()) + "”"
}

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
