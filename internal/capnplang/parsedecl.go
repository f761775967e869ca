package capnplang

// declaration reads one statement inside of a file, struct, union, group, enum
// or interface and adds it to the parent's members.
func (p *parser) declaration(parent *decl) {
	if p.tok.kind != tokenIdent {
		p.unexpected("a declaration")
		return
	}
	keyword, after := p.tok, p.lookAhead()
	inStruct := parent.kind == declStruct || parent.kind == declUnion || parent.kind == declGroup
	switch {
	case inStruct && keyword.text == "union" && after.is("{"):
		p.unnamedUnion(parent)
	case inStruct && (after.is("@") || after.is(":")):
		p.member(parent)
	case parent.kind == declEnum && after.is("@"):
		p.enumerant(parent)
	case parent.kind == declInterface && after.is("@"):
		p.method(parent)
	case parent.kind == declEnum:
		p.unexpected("an enumerant such as `name @0;`")
	default:
		p.keyword(parent, keyword)
	}
}

func (p *parser) keyword(parent *decl, keyword token) {
	switch keyword.text {
	case "using":
		p.using(parent)
	case "const":
		p.constant(parent)
	case "struct":
		p.block(parent, declStruct)
	case "enum":
		p.block(parent, declEnum)
	case "interface":
		p.block(parent, declInterface)
	case "annotation":
		p.annotation(parent)
	default:
		e := p.fail(keyword.pos, "“%s” does not start a declaration here", shorten(keyword.text))
		if parent.kind == declFile {
			e.hint(suggest(keyword.text, []string{"using", "const", "struct", "enum", "interface", "annotation"}, "A declaration starts with"))
		} else {
			e.hint("A member is written as `name @0 :Type;`.")
		}
	}
}

func (p *parser) add(parent *decl, kind declKind) *decl {
	d := &decl{kind: kind, file: parent.file, parent: parent, ordinal: -1, pos: p.tok.pos}
	parent.members = append(parent.members, d)
	return d
}

func (p *parser) named(parent *decl, kind declKind) *decl {
	d := p.add(parent, kind)
	d.name, d.pos = p.ident("a name")
	return d
}

// using reads `using Name = …;`, or `using ….Name;` which keeps the last name.
func (p *parser) using(parent *decl) {
	p.advance()
	if p.tok.kind == tokenIdent && p.lookAhead().is("=") {
		d := p.named(parent, declUsing)
		p.advance()
		d.typ = p.expression()
		p.end()
		return
	}
	d := p.add(parent, declUsing)
	d.typ = p.expression()
	d.name = d.typ.text
	if d.typ.kind != exprMember && !p.failed() {
		p.fail(d.pos, "this alias has no name").hint("Write `using Name = …;`.")
	}
	p.end()
}

func (p *parser) constant(parent *decl) {
	p.advance()
	d := p.named(parent, declConst)
	p.optionalID(d)
	p.expect(":", "and the type of the constant")
	d.typ = p.expression()
	p.expect("=", "and the value of the constant")
	d.value = p.expression()
	p.annotations()
	p.end()
}

func (p *parser) annotation(parent *decl) {
	p.advance()
	d := p.named(parent, declAnnotation)
	p.optionalID(d)
	if !p.tok.is("(") {
		p.unexpected("“(” and what may have the annotation")
		return
	}
	p.advance()
	for !p.tok.is(")") && !p.failed() {
		if !p.accept("*") {
			p.ident("a kind of declaration, or “*”")
		}
		if !p.accept(",") && !p.tok.is(")") {
			p.unexpected("“)”")
		}
	}
	p.expect(")", "after what may have the annotation")
	p.expect(":", "and the type of the annotation")
	d.typ = p.expression()
	p.annotations()
	p.end()
}

// block reads a struct, enum or interface.
func (p *parser) block(parent *decl, kind declKind) {
	p.advance()
	d := p.named(parent, kind)
	p.optionalID(d)
	if p.tok.is("(") && kind != declEnum {
		d.params = p.names("(", ")")
	}
	if kind == declInterface && p.tok.kind == tokenIdent && p.tok.text == "extends" {
		p.advance()
		p.superclasses()
	}
	p.annotations()
	p.body(d)
}

func (p *parser) superclasses() {
	if !p.tok.is("(") {
		p.unexpected("“(” and the interfaces that it extends")
		return
	}
	p.items(")")
}

// names reads a list of generic parameters.
func (p *parser) names(open, closing string) []string {
	p.expect(open, "and names")
	var names []string
	for !p.tok.is(closing) && !p.failed() {
		name, _ := p.ident("the name of a parameter")
		names = append(names, name)
		if !p.accept(",") && !p.tok.is(closing) {
			p.unexpected("“" + closing + "”")
		}
	}
	p.expect(closing, "after the names")
	return names
}

func (p *parser) body(d *decl) {
	if !p.deeper() {
		return
	}
	defer func() { p.depth-- }()
	p.expect("{", "and the members")
	for !p.tok.is("}") && !p.failed() {
		p.declaration(d)
	}
	p.expect("}", "after the members")
}
