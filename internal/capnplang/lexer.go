package capnplang

import (
	"math"
	"strconv"
	"strings"
)

type tokenKind uint8

const (
	tokenEOF    tokenKind = iota
	tokenIdent            // text
	tokenString           // text, escapes resolved
	tokenData             // text
	tokenInt              // bits
	tokenFloat            // bits of a float64
	tokenOp               // text: operator characters, as many as stand together
	tokenPunct            // text: one of ( ) [ ] { } , ;
)

type token struct {
	kind     tokenKind
	pos, end int32
	text     string
	bits     uint64
}

// is reports whether t is this operator or punctuation.
func (t *token) is(text string) bool {
	return (t.kind == tokenOp || t.kind == tokenPunct) && t.text == text
}

// lexer cuts a source into tokens. After an error it only gives tokenEOF.
type lexer struct {
	src *source
	pos int32
	err *Error
}

func (l *lexer) fail(pos int32, format string, args ...any) *Error {
	e := l.src.errorf(pos, format, args...)
	if l.err == nil {
		l.err = e
	}
	l.pos = int32(len(l.src.text))
	return e
}

const operators = "!$%&*+-./:<=>?@^|~"

func (l *lexer) next() token {
	l.skipSpace()
	text := l.src.text
	start := l.pos
	if int(start) >= len(text) {
		return token{kind: tokenEOF, pos: start, end: start}
	}
	c := text[start]
	switch {
	case isLetter(c):
		return l.take(tokenIdent, func(c byte) bool { return isLetter(c) || isDigit(c) })
	case strings.HasPrefix(text[start:], `0x"`):
		return l.hexData()
	case isDigit(c):
		return l.number()
	case c == '"':
		return l.quoted()
	case c == '`':
		return l.backtick()
	case strings.IndexByte("()[]{},;", c) >= 0:
		l.pos++
		return token{kind: tokenPunct, pos: start, end: l.pos, text: text[start:l.pos]}
	case strings.IndexByte(operators, c) >= 0:
		return l.take(tokenOp, func(c byte) bool { return strings.IndexByte(operators, c) >= 0 })
	}
	l.badByte(c)
	return token{kind: tokenEOF, pos: start, end: start}
}

func (l *lexer) badByte(c byte) {
	switch {
	case c == '\'':
		l.fail(l.pos, "a single quote does not start a text").hint("Write texts with double quotes: \"like this\".")
	case c == 0 || c >= 0xfe:
		l.fail(l.pos, "the file is not UTF-8 text").hint("Save it as UTF-8.")
	case c >= 0x80:
		l.fail(l.pos, "a letter beyond ASCII stands outside of a text").hint("Names have only A-Z, a-z and 0-9; anything else belongs between double quotes.")
	default:
		l.fail(l.pos, "the character %q has no meaning here", c)
	}
}

func (l *lexer) skipSpace() {
	text := l.src.text
	for int(l.pos) < len(text) {
		switch text[l.pos] {
		case ' ', '\t', '\n', '\r', '\v', '\f':
			l.pos++
		case '#':
			end := strings.IndexByte(text[l.pos:], '\n')
			if end < 0 {
				l.pos = int32(len(text))
				return
			}
			l.pos += int32(end) + 1
		default:
			return
		}
	}
}

func (l *lexer) take(kind tokenKind, part func(byte) bool) token {
	text, start := l.src.text, l.pos
	for int(l.pos) < len(text) && part(text[l.pos]) {
		l.pos++
	}
	return token{kind: kind, pos: start, end: l.pos, text: text[start:l.pos]}
}

// number reads an integer (decimal, 0x hexadecimal, or octal after a 0) or a
// decimal fraction.
func (l *lexer) number() token {
	text, start := l.src.text, l.pos
	hex := strings.HasPrefix(text[start:], "0x") || strings.HasPrefix(text[start:], "0X")
	t := l.take(tokenInt, func(c byte) bool { return isLetter(c) || isDigit(c) || c == '.' })
	if last := text[l.pos-1]; !hex && (last == 'e' || last == 'E') && int(l.pos) < len(text) &&
		(text[l.pos] == '+' || text[l.pos] == '-') {
		l.pos++
		l.take(tokenInt, isDigit)
		t.end, t.text = l.pos, text[start:l.pos]
	}
	if !hex && strings.ContainsAny(t.text, ".eE") {
		return l.fraction(t)
	}
	digits, base := t.text, 10
	switch {
	case hex:
		digits, base = digits[2:], 16
	case len(digits) > 1 && digits[0] == '0':
		digits, base = digits[1:], 8
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		l.badNumber(t, err)
		return token{kind: tokenEOF, pos: start, end: start}
	}
	t.bits = n
	return t
}

func (l *lexer) fraction(t token) token {
	f, err := strconv.ParseFloat(t.text, 64)
	if err == nil && strings.ContainsAny(t.text, "_xXpP") {
		err = strconv.ErrSyntax
	}
	if err != nil {
		l.badNumber(t, err)
		return token{kind: tokenEOF, pos: t.pos, end: t.pos}
	}
	t.kind, t.bits = tokenFloat, math.Float64bits(f)
	return t
}

func (l *lexer) badNumber(t token, err error) {
	if strings.HasSuffix(err.Error(), strconv.ErrRange.Error()) {
		l.fail(t.pos, "the number %s is too large", shorten(t.text))
		return
	}
	e := l.fail(t.pos, "“%s” is not a number", shorten(t.text))
	if len(t.text) > 1 && t.text[0] == '0' {
		e.hint("A number that starts with 0 is octal, with digits from 0 to 7. For a decimal number leave the 0 out.")
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// shorten keeps foreign text in messages short.
func shorten(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
