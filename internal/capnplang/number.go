package capnplang

import "math"

// bounds of the integer types: how far below and above zero they go.
var bounds = map[typeKind]struct{ below, above uint64 }{
	kindInt8:   {1 << 7, math.MaxInt8},
	kindInt16:  {1 << 15, math.MaxInt16},
	kindInt32:  {1 << 31, math.MaxInt32},
	kindInt64:  {1 << 63, math.MaxInt64},
	kindUInt8:  {0, math.MaxUint8},
	kindUInt16: {0, math.MaxUint16},
	kindUInt32: {0, math.MaxUint32},
	kindUInt64: {0, math.MaxUint64},
}

func (l *loader) evalInt(e *expr, t *typ, src *source) (*Value, *Error) {
	if t.kind == kindFloat32 || t.kind == kindFloat64 {
		return l.evalFloat(&expr{
			kind: exprFloat, pos: e.pos, negative: e.negative, bits: math.Float64bits(float64(e.bits)),
		}, t, src)
	}
	limit, ok := bounds[t.kind]
	if !ok {
		return nil, mismatch(e, t, src)
	}
	if e.negative && e.bits > limit.below || !e.negative && e.bits > limit.above {
		low := "0"
		if limit.below > 0 {
			low = itoa(int64(-limit.below))
		}
		return nil, src.errorf(e.pos, "this number does not fit %s", t).
			hint("%s goes from %s to %d.", t, low, limit.above)
	}
	bits := e.bits
	if e.negative {
		bits = -bits
	}
	return l.made(&Value{typ: t, bits: bits & (1<<(1<<t.lgBits()) - 1)}, src, e.pos)
}

func (l *loader) evalFloat(e *expr, t *typ, src *source) (*Value, *Error) {
	f := math.Float64frombits(e.bits)
	if e.negative {
		f = -f
	}
	switch t.kind {
	case kindFloat64:
		return l.made(&Value{typ: t, bits: math.Float64bits(f)}, src, e.pos)
	case kindFloat32:
		if math.Abs(f) > math.MaxFloat32 && !math.IsInf(f, 0) {
			return nil, src.errorf(e.pos, "this number does not fit Float32")
		}
		return l.made(&Value{typ: t, bits: uint64(math.Float32bits(float32(f)))}, src, e.pos)
	}
	return nil, mismatch(e, t, src)
}

// signed gives an integer value with its sign.
func (v *Value) signed() int64 {
	if v.typ.kind >= kindUInt8 && v.typ.kind <= kindUInt64 {
		return int64(v.bits)
	}
	shift := 64 - 1<<v.typ.lgBits()
	return int64(v.bits<<shift) >> shift
}

func (v *Value) float() float64 {
	if v.typ.kind == kindFloat32 {
		return float64(math.Float32frombits(uint32(v.bits)))
	}
	return math.Float64frombits(v.bits)
}

// asExpr writes a number down again, for a conversion to another type.
func (v *Value) asExpr(pos int32) *expr {
	switch {
	case v.typ.kind == kindFloat32 || v.typ.kind == kindFloat64:
		return &expr{kind: exprFloat, pos: pos, bits: math.Float64bits(v.float())}
	case v.typ.kind < kindUInt8 && v.signed() < 0:
		return &expr{kind: exprInt, pos: pos, bits: uint64(-v.signed()), negative: true}
	}
	return &expr{kind: exprInt, pos: pos, bits: uint64(v.signed())}
}
