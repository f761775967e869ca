package main

import (
	"io"
	"strings"
	"unicode"
)

// plain passes text on without what a terminal would obey: escape sequences and
// other control characters, in both encodings of theirs. Titles, logs and errors
// hold what strangers and apps wrote, and a terminal can be told to lie or to
// answer as if the administrator had typed.
type plain struct {
	w io.Writer
	// lead is set if the last byte was the first of a character between U+0080
	// and U+00BF, which was not passed on yet.
	lead bool
}

// Write implements io.Writer.
func (p *plain) Write(b []byte) (int, error) {
	const first = 0xc2
	out := make([]byte, 0, len(b)+1)
	for _, c := range b {
		lead := p.lead
		p.lead = false
		switch {
		case lead && c >= 0x80 && c < 0xa0:
			out = append(out, '?')
			continue
		case lead:
			out = append(out, first)
		}
		switch {
		case c == first:
			p.lead = true
		case c < ' ' && c != '\n' && c != '\t', c == 0x7f:
			out = append(out, '?')
		default:
			out = append(out, c)
		}
	}
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// cell is text for one cell of a table: on one line.
func cell(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, s)
}
