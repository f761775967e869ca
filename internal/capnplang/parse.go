package capnplang

import "strings"

// parser turns a source into declarations. It stops at the first error: the
// lexer then gives the end of the file, at which every loop here ends.
type parser struct {
	lex   lexer
	tok   token
	ahead token // valid if peeked
	peek  bool
	depth int
}

func parse(src *source) (*decl, *Error) {
	p := &parser{lex: lexer{src: src}}
	if strings.HasPrefix(src.text, "\ufeff") {
		p.lex.pos = int32(len("\ufeff"))
	}
	p.advance()
	root := &decl{kind: declFile, file: src, ordinal: -1, name: src.name}
	src.root = root
	for p.tok.kind != tokenEOF {
		p.fileStatement(root)
	}
	if p.lex.err != nil {
		return nil, p.lex.err
	}
	if root.idPos == 0 {
		return nil, src.errorf(0, "the file has no id").
			hint("Add this as its first line: @%#x;", randomID())
	}
	return root, root.index()
}

func (p *parser) advance() {
	if p.peek {
		p.tok, p.peek = p.ahead, false
		return
	}
	p.tok = p.lex.next()
}

// lookAhead gives the token after the present one.
func (p *parser) lookAhead() *token {
	if !p.peek {
		p.ahead, p.peek = p.lex.next(), true
	}
	return &p.ahead
}

func (p *parser) failed() bool { return p.lex.err != nil }

func (p *parser) fail(pos int32, format string, args ...any) *Error {
	e := p.lex.fail(pos, format, args...)
	p.tok, p.peek = token{kind: tokenEOF, pos: pos, end: pos}, false
	return e
}

// unexpected fails at the present token.
func (p *parser) unexpected(want string) *Error {
	if p.failed() {
		return p.lex.err
	}
	t := p.tok
	switch {
	case t.kind == tokenEOF:
		return p.fail(t.pos, "the file ends where %s should be", want).
			hint("Is a “;”, or a closing bracket or brace, missing above?")
	case t.kind == tokenOp && len(t.text) > 1 && t.text != "->":
		return p.fail(t.pos, "expected %s, found “%s”", want, shorten(t.text)).
			hint("These characters count as one sign. Put spaces between them.")
	}
	return p.fail(t.pos, "expected %s, found “%s”", want, p.shown(t))
}

func (p *parser) shown(t token) string {
	text := p.lex.src.text[t.pos:t.end]
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	return shorten(text)
}

// expect takes an operator or punctuation.
func (p *parser) expect(text, where string) {
	if !p.tok.is(text) {
		p.unexpected("“" + text + "” " + where)
		return
	}
	p.advance()
}

func (p *parser) accept(text string) bool {
	if !p.tok.is(text) {
		return false
	}
	p.advance()
	return true
}

// end takes the semicolon of a statement.
func (p *parser) end() { p.expect(";", "at the end of the statement") }

// deeper guards recursion; the caller must call p.depth-- afterwards.
func (p *parser) deeper() bool {
	p.depth++
	if p.depth > maxNesting {
		p.fail(p.tok.pos, "nested deeper than %d levels", maxNesting)
		return false
	}
	return true
}

func (p *parser) ident(want string) (string, int32) {
	name, pos := p.tok.text, p.tok.pos
	if p.tok.kind != tokenIdent {
		p.unexpected(want)
		return "", pos
	}
	p.advance()
	return name, pos
}

func (p *parser) fileStatement(root *decl) {
	switch {
	case p.tok.is("@"):
		pos := p.tok.pos
		if root.idPos != 0 {
			p.fail(pos, "the file has two ids").hint("Remove one of them.")
			return
		}
		p.optionalID(root)
		if pos == 0 {
			root.idPos = 1 // at the very start; 0 would mean that there is none
		}
		p.end()
	case p.tok.is("$"):
		p.annotations()
		p.end()
	default:
		p.declaration(root)
	}
}

// optionalID reads `@0x…`, a 64-bit id whose top bit is set.
func (p *parser) optionalID(d *decl) {
	if !p.tok.is("@") {
		return
	}
	p.advance()
	d.id, d.idPos = p.tok.bits, p.tok.pos
	if p.tok.kind != tokenInt {
		p.unexpected("a number after “@”")
		return
	}
	if d.id>>63 == 0 {
		p.fail(p.tok.pos, "this is not an id: its top bit is not set").
			hint("Is it meant to be an id? Then use a random one: @%#x", randomID())
		return
	}
	p.advance()
}

// annotations skips over any `$name(value)`; they do not change values.
func (p *parser) annotations() {
	for p.accept("$") {
		p.expression()
	}
}
