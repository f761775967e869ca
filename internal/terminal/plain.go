// Package terminal keeps what strangers wrote from commanding a person's
// terminal. Titles, names of files, logs and errors hold it, and a terminal can
// be told to lie, or to answer as if the person had typed.
package terminal

import (
	"io"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// Plain passes text on without what a terminal would obey: escape sequences and
// other control characters, characters that turn the direction of the text
// around them, and bytes that are no UTF-8, among which are control characters
// of older encodings. Question marks take their places. Line breaks and
// tabulators stay. Several goroutines may write to it.
type Plain struct {
	w    io.Writer
	mu   sync.Mutex
	rest []byte // the beginning of a character, not passed on yet
}

// NewPlain returns a Plain that writes to w.
func NewPlain(w io.Writer) *Plain { return &Plain{w: w} }

// Unwrap is where the text goes to.
func (p *Plain) Unwrap() io.Writer { return p.w }

// Write implements io.Writer.
func (p *Plain) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := append(p.rest, b...)
	out := make([]byte, 0, len(in))
	for len(in) > 0 && utf8.FullRune(in) {
		r, size := utf8.DecodeRune(in)
		if r == utf8.RuneError && size == 1 || r != '\n' && r != '\t' && Obeyed(r) {
			out = append(out, '?')
		} else {
			out = append(out, in[:size]...)
		}
		in = in[size:]
	}
	p.rest = append(p.rest[:0], in...)
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Obeyed reports whether a terminal or an editor does something with r instead of
// showing it, as with control characters and with those that turn the direction
// of text (CVE-2021-42574).
func Obeyed(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// Cell is text for one cell of a table: on one line.
func Cell(s string) string {
	return strings.Map(func(r rune) rune {
		if Obeyed(r) || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, s)
}

// File is the terminal that w writes to, maybe through a Plain.
func File(w io.Writer) (f *os.File, ok bool) {
	if p, is := w.(*Plain); is {
		w = p.Unwrap()
	}
	f, ok = w.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}
