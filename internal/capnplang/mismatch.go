package capnplang

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
