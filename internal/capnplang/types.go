package capnplang

import "strconv"

type typeKind uint8

const (
	kindVoid typeKind = iota
	kindBool
	kindInt8
	kindInt16
	kindInt32
	kindInt64
	kindUInt8
	kindUInt16
	kindUInt32
	kindUInt64
	kindFloat32
	kindFloat64
	kindEnum
	kindText // from here on: pointers
	kindData
	kindList // elem; nil is List without its argument
	kindStruct
	kindInterface
	kindCapability
	kindAnyPointer
	kindAnyStruct
	kindAnyList
	kindParam // the index-th parameter of decl; a pointer
)

// typ is a type of values.
type typ struct {
	kind  typeKind
	decl  *decl // enum, struct, interface; or whose parameter it is
	brand brand
	elem  *typ
	index int
	group *structInfo // of a group, which has no name of its own
	open  bool        // mentions a parameter
	parts int         // types that it consists of, besides itself
}

var builtinTypes = map[string]*typ{
	"Void": {kind: kindVoid}, "Bool": {kind: kindBool},
	"Int8": {kind: kindInt8}, "Int16": {kind: kindInt16}, "Int32": {kind: kindInt32}, "Int64": {kind: kindInt64},
	"UInt8": {kind: kindUInt8}, "UInt16": {kind: kindUInt16}, "UInt32": {kind: kindUInt32}, "UInt64": {kind: kindUInt64},
	"Float32": {kind: kindFloat32}, "Float64": {kind: kindFloat64},
	"Text": {kind: kindText}, "Data": {kind: kindData}, "List": {kind: kindList},
	"AnyPointer": {kind: kindAnyPointer}, "AnyStruct": {kind: kindAnyStruct}, "AnyList": {kind: kindAnyList},
	"Capability": {kind: kindCapability},
	"Object":     {kind: kindAnyPointer}, // its name before version 0.5
}

func (t *typ) isPointer() bool { return t.kind >= kindText }

// lgBits is the binary logarithm of the size of a value in bits, or -1 for Void.
func (t *typ) lgBits() int {
	return [...]int{-1, 0, 3, 4, 5, 6, 3, 4, 5, 6, 5, 6, 4}[t.kind]
}

func (t *typ) String() string {
	switch t.kind {
	case kindList:
		if t.elem == nil {
			return "List"
		}
		return "List(" + t.elem.String() + ")"
	case kindParam:
		return t.decl.params[t.index]
	case kindStruct:
		if t.group != nil {
			return "a group"
		}
		return t.decl.name
	case kindEnum, kindInterface:
		return t.decl.name
	}
	for name, b := range builtinTypes {
		if b.kind == t.kind && name != "Object" {
			return name
		}
	}
	return "?"
}

// same reports whether values of one type can stand for the other's. Arguments
// of generics do not count: they are pointers on the wire in any case.
func (t *typ) same(u *typ) bool {
	if t.kind != u.kind || t.decl != u.decl || t.group != u.group {
		return false
	}
	return t.kind != kindList || t.elem == u.elem || t.elem.same(u.elem)
}

// typeOf resolves an expression that must be a type.
func (l *loader) typeOf(e *expr, scope *decl) (*typ, *Error) {
	r, err := l.resolve(e, scope)
	if err != nil {
		return nil, err
	}
	if r.typ != nil {
		if r.typ.kind == kindList && r.typ.elem == nil {
			return nil, scope.file.errorf(e.pos, "List needs to know of what").hint("For example List(Text).")
		}
		return r.typ, nil
	}
	switch r.decl.kind {
	case declStruct:
		return &typ{kind: kindStruct, decl: r.decl, brand: r.brand, open: r.brand.open(), parts: r.brand.parts()}, nil
	case declEnum:
		return &typ{kind: kindEnum, decl: r.decl}, nil
	case declInterface:
		return &typ{kind: kindInterface, decl: r.decl, brand: r.brand, open: r.brand.open(), parts: r.brand.parts()}, nil
	}
	return nil, scope.file.errorf(e.pos, "“%s” is %s, not a type", shorten(e.String()), r.decl.kind)
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "one " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
