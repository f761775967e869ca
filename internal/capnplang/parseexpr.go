package capnplang

// expression reads a value or the name of a type.
func (p *parser) expression() *expr {
	if !p.deeper() {
		return &expr{}
	}
	defer func() { p.depth-- }()
	e := p.primary()
	for range maxNesting {
		switch {
		case p.tok.is("."):
			p.advance()
			name, pos := p.ident("a name after “.”")
			e = &expr{kind: exprMember, base: e, text: name, pos: pos}
		case p.tok.is("("):
			pos := e.pos
			e = &expr{kind: exprApply, base: e, items: p.items(")"), pos: pos}
		default:
			return e
		}
	}
	p.fail(p.tok.pos, "more than %d names in one path", maxNesting)
	return e
}

func (p *parser) primary() *expr {
	t := p.tok
	switch t.kind {
	case tokenInt, tokenFloat:
		p.advance()
		return numberExpr(t, t.pos, false)
	case tokenData:
		p.advance()
		return &expr{kind: exprData, pos: t.pos, text: t.text}
	case tokenString:
		return p.adjacentTexts()
	case tokenIdent:
		p.advance()
		if p.tok.kind == tokenString && (t.text == "import" || t.text == "embed") {
			return p.fileExpr(t)
		}
		return &expr{kind: exprName, pos: t.pos, text: t.text}
	}
	switch {
	case t.is("-"):
		return p.negative()
	case t.is("."):
		p.advance()
		name, _ := p.ident("a name after “.”")
		return &expr{kind: exprRooted, pos: t.pos, text: name}
	case t.is("["):
		return &expr{kind: exprList, pos: t.pos, items: p.items("]")}
	case t.is("("):
		items := p.items(")")
		if len(items) == 1 && items[0].name == "" {
			return items[0].value // brackets around one value mean nothing
		}
		return &expr{kind: exprTuple, pos: t.pos, items: items}
	}
	p.unexpected("a value or a name")
	return &expr{pos: t.pos}
}

func numberExpr(t token, pos int32, negative bool) *expr {
	if t.kind == tokenFloat {
		return &expr{kind: exprFloat, pos: pos, bits: t.bits, negative: negative}
	}
	return &expr{kind: exprInt, pos: pos, bits: t.bits, negative: negative}
}

func (p *parser) negative() *expr {
	p.advance()
	t := p.tok
	switch {
	case t.kind == tokenInt || t.kind == tokenFloat:
		p.advance()
		return numberExpr(t, t.pos, true)
	case t.kind == tokenIdent && t.text == "inf":
		p.advance()
		return &expr{kind: exprFloat, pos: t.pos, bits: infBits, negative: true}
	}
	p.unexpected("a number after “-”")
	return &expr{pos: t.pos}
}

func (p *parser) adjacentTexts() *expr {
	e := &expr{kind: exprText, pos: p.tok.pos, text: p.tok.text}
	p.advance()
	if p.tok.kind != tokenString {
		return e
	}
	joined := []byte(e.text)
	for p.tok.kind == tokenString {
		joined = append(joined, p.tok.text...)
		p.advance()
	}
	e.text = string(joined)
	return e
}

func (p *parser) fileExpr(keyword token) *expr {
	e := &expr{kind: exprImport, pos: keyword.pos, text: p.tok.text}
	if keyword.text == "embed" {
		e.kind = exprEmbed
	}
	p.advance()
	return e
}

// items reads a list in brackets. One comma may stand after the last item.
func (p *parser) items(closing string) []item {
	if !p.deeper() {
		return nil
	}
	defer func() { p.depth-- }()
	open := p.tok
	p.advance()
	var items []item
	for !p.tok.is(closing) {
		if p.tok.is(",") {
			p.fail(p.tok.pos, "an item is missing before this comma")
			return nil
		}
		items = append(items, p.item())
		if p.accept(",") || p.tok.is(closing) {
			continue
		}
		p.unclosed(open, closing)
		return nil
	}
	p.advance()
	return items
}

func (p *parser) unclosed(open token, closing string) {
	if p.failed() {
		return
	}
	where := p.lex.src.errorf(open.pos, "")
	if e := p.unexpected("“,” or “" + closing + "”"); e.Hint == "" {
		e.hint("The “%s” that is open here stands at %d:%d.", open.text, where.Line, where.Column)
	}
}

func (p *parser) item() item {
	it := item{pos: p.tok.pos}
	if p.tok.kind == tokenIdent && p.lookAhead().is("=") {
		it.name = p.tok.text
		p.advance()
		p.advance()
	}
	it.value = p.expression()
	return it
}
