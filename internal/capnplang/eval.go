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
