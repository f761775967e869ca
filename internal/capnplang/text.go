package capnplang

import "strings"

// quoted reads a text in double quotes. Without escapes it shares the source's
// memory.
func (l *lexer) quoted() token {
	text, start := l.src.text, l.pos
	var unescaped []byte
	from := start + 1
	for i := from; int(i) < len(text); {
		switch text[i] {
		case '"':
			l.pos = i + 1
			t := token{kind: tokenString, pos: start, end: l.pos, text: text[from:i]}
			if unescaped != nil {
				t.text = string(append(unescaped, t.text...))
			}
			return t
		case '\n':
			l.fail(start, "this text has no closing quote on its line").
				hint("Close it with \" and go on with another text on the next line: adjacent texts are joined. A line break inside of a text is \\n.")
			return token{kind: tokenEOF, pos: start, end: start}
		case '\\':
			c, n := escape(text[i+1:])
			if n == 0 {
				l.fail(i, "unknown escape in a text").
					hint("Known are \\n \\r \\t \\a \\b \\f \\v \\\\ \\\" \\' \\? \\xHH and \\OOO (octal). A backslash itself is \\\\.")
				return token{kind: tokenEOF, pos: start, end: start}
			}
			unescaped = append(append(unescaped, text[from:i]...), c)
			i += 1 + int32(n)
			from = i
		default:
			i++
		}
	}
	l.fail(start, "this text has no closing quote")
	return token{kind: tokenEOF, pos: start, end: start}
}

// escape reads what follows a backslash: the byte that it means, and how long it
// is; 0 if it is no escape.
func escape(s string) (c byte, n int) {
	if s == "" {
		return 0, 0
	}
	if i := strings.IndexByte(`abfnrtv\"'?`, s[0]); i >= 0 {
		return "\a\b\f\n\r\t\v\\\"'?"[i], 1
	}
	if s[0] == 'x' {
		if len(s) < 3 || hexDigit(s[1]) < 0 || hexDigit(s[2]) < 0 {
			return 0, 0
		}
		return byte(hexDigit(s[1])<<4 | hexDigit(s[2])), 3
	}
	for n < 3 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
		c = c<<3 | s[n] - '0'
		n++
	}
	return c, n
}

// backtick reads a text that goes on to the end of the line, which belongs to it.
func (l *lexer) backtick() token {
	text, start := l.src.text, l.pos
	end := strings.IndexAny(text[start:], "\r\n")
	if end < 0 {
		end = len(text) - int(start)
	}
	l.pos = start + int32(end)
	return token{kind: tokenString, pos: start, end: l.pos, text: text[start+1:l.pos] + "\n"}
}

// hexData reads bytes as 0x"01 ab", with space anywhere between the bytes.
func (l *lexer) hexData() token {
	text, start := l.src.text, l.pos
	l.pos += int32(len(`0x"`))
	bytes := []byte{}
	high := -1
	for ; int(l.pos) < len(text); l.pos++ {
		c := text[l.pos]
		digit := hexDigit(c)
		switch {
		case c == '"' && high < 0:
			l.pos++
			return token{kind: tokenData, pos: start, end: l.pos, text: string(bytes)}
		case high < 0 && strings.IndexByte(" \t\n\r\v\f", c) >= 0:
		case digit < 0:
			l.fail(l.pos, "bytes are written as pairs of hexadecimal digits").
				hint("For example 0x\"01 ab ff\".")
			return token{kind: tokenEOF, pos: start, end: start}
		case high < 0:
			high = digit
		default:
			bytes = append(bytes, byte(high<<4|digit))
			high = -1
		}
	}
	l.fail(start, "these bytes have no closing quote")
	return token{kind: tokenEOF, pos: start, end: start}
}

func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
