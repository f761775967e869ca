package capnplang

type exprKind uint8

const (
	exprName   exprKind = iota // text
	exprRooted                 // .text: looked up in the file only
	exprImport                 // text: a path
	exprEmbed                  // text: a path
	exprMember                 // base.text
	exprApply                  // base(items)
	exprInt                    // bits, negative
	exprFloat                  // bits of a float64
	exprText                   // text
	exprData                   // text
	exprList                   // items
	exprTuple                  // items: a struct; never one item without a name
)

// expr is a value, or the name of a type, as written.
type expr struct {
	kind     exprKind
	negative bool
	pos      int32 // where an error in it is reported
	text     string
	bits     uint64
	base     *expr
	items    []item
}

// item is one element of a list, or one `name = value` of a tuple.
type item struct {
	name  string
	pos   int32
	value *expr
}

type declKind uint8

const (
	declFile declKind = iota
	declUsing
	declConst
	declEnum
	declEnumerant
	declStruct
	declField
	declUnion
	declGroup
	declInterface
	declMethod
	declAnnotation
)

func (k declKind) String() string {
	return [...]string{
		"a file", "an alias", "a constant", "an enum", "an enumerant", "a struct", "a field",
		"a union", "a group", "an interface", "a method", "an annotation",
	}[k]
}

// decl is one declaration. What is below the line is filled in when needed.
type decl struct {
	kind       declKind
	pos        int32 // of the name
	name       string
	file       *source
	parent     *decl
	id         uint64
	idPos      int32    // 0 if it has no id
	ordinal    int      // -1 if it has none
	ordinalPos int32    //
	params     []string // generic
	typ        *expr    // of a constant, field or annotation; what an alias stands for
	value      *expr    // of a constant; default of a field
	members    []*decl  // in the order of the source

	names     map[string]*decl // what lookup finds
	busy      bool             // being resolved: a second time means a cycle
	alias     *ref
	constant  *Value
	layout    *structInfo
	enumNames []string
}

// eachName goes through the members that have a name. Members of an unnamed union
// count as members of what is around it.
func (d *decl) eachName(do func(*decl)) {
	for _, m := range d.members {
		if m.kind == declUnion && m.name == "" {
			m.eachName(do)
			continue
		}
		do(m)
	}
}

// lookup finds a declaration that a path of names can go through: types,
// constants and aliases, not fields.
func (d *decl) lookup(name string) *decl { return d.names[name] }

func (d *decl) constNames() []string {
	var names []string
	for _, m := range d.members {
		if m.kind == declConst {
			names = append(names, m.name)
		}
	}
	return names
}

// path is the name with the names of what is around it, "Outer.inner".
func (d *decl) path() string {
	if d.parent == nil || d.parent.kind == declFile {
		return d.name
	}
	return d.parent.path() + "." + d.name
}
