package capnplang

const maxOrdinal = 65535

// ordinal reads `@n`, if it is there.
func (p *parser) ordinal(d *decl) {
	if !p.accept("@") {
		return
	}
	d.ordinalPos = p.tok.pos
	if p.tok.kind != tokenInt {
		p.unexpected("a number after “@”")
		return
	}
	if p.tok.bits > maxOrdinal {
		p.fail(p.tok.pos, "a number after “@” is at most %d", maxOrdinal)
		return
	}
	d.ordinal = int(p.tok.bits)
	p.advance()
}

func (p *parser) unnamedUnion(parent *decl) {
	d := p.add(parent, declUnion)
	p.advance()
	p.body(d)
}

// member reads a field, a named union or a group.
func (p *parser) member(parent *decl) {
	d := p.named(parent, declField)
	p.ordinal(d)
	kept := d.ordinal >= 0 && p.accept("!")
	p.expect(":", "and the type of “"+shorten(d.name)+"”")
	if kind, ok := p.groupKind(); ok {
		d.kind = kind
		p.unionNumber(d, kept)
		p.advance()
		p.annotations()
		p.body(d)
		return
	}
	if d.ordinal < 0 && !p.failed() {
		p.fail(d.pos, "the field “%s” has no number", shorten(d.name)).hint("Write `%s @0 :Type;`, with the next free number.", shorten(d.name))
		return
	}
	if kept {
		p.fail(d.pos, "only the number of a union has an exclamation mark")
		return
	}
	p.fieldRest(d)
	p.end()
}

// unionNumber refuses numbers of unions and groups, unless an exclamation mark
// says that an early protocol needs it.
func (p *parser) unionNumber(d *decl, kept bool) {
	if d.ordinal < 0 || kept && d.kind == declUnion {
		return
	}
	p.fail(d.ordinalPos, "%s needs no number", d.kind).
		hint("Remove it. Only where an old protocol has it, keep it as `@%d!`.", d.ordinal)
}

func (p *parser) groupKind() (declKind, bool) {
	if p.tok.kind == tokenIdent && (p.lookAhead().is("{") || p.lookAhead().is("$")) {
		switch p.tok.text {
		case "union":
			return declUnion, true
		case "group":
			return declGroup, true
		}
	}
	return 0, false
}

// fieldRest reads the type, and the default if there is one.
func (p *parser) fieldRest(d *decl) {
	d.typ = p.expression()
	if p.accept("=") {
		d.value = p.expression()
	}
	p.annotations()
}

func (p *parser) enumerant(parent *decl) {
	d := p.named(parent, declEnumerant)
	p.ordinal(d)
	p.annotations()
	p.end()
}

// method reads `name @0 [T] (…) -> (…);`. What it takes and gives is only read
// over: no value depends on it.
func (p *parser) method(parent *decl) {
	d := p.named(parent, declMethod)
	p.ordinal(d)
	if p.tok.is("[") {
		d.params = p.names("[", "]")
	}
	p.parameters(d)
	if p.accept("->") {
		p.parameters(d) // `stream` looks like a type
	}
	p.annotations()
	p.end()
}

// parameters reads a list of them, or the name of a struct type.
func (p *parser) parameters(method *decl) {
	if !p.tok.is("(") {
		p.expression()
		return
	}
	p.advance()
	for !p.tok.is(")") && !p.failed() {
		d := &decl{kind: declField, file: method.file, parent: method, ordinal: -1}
		d.name, d.pos = p.ident("the name of a parameter")
		p.expect(":", "and the type of the parameter")
		p.fieldRest(d)
		if !p.accept(",") && !p.tok.is(")") {
			p.unexpected("“,” or “)”")
		}
	}
	p.expect(")", "after the parameters")
}
