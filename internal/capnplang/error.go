package capnplang

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Error is a mistake in a source file, or in what it refers to.
type Error struct {
	File         string // as it was opened, or its import path if it is built in
	Line, Column int    // from 1; columns count bytes
	Msg          string
	Hint         string // what to do about it; may be empty or have several lines
}

func (e *Error) Error() string {
	s := e.File + ":" + strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Column) + ": " + e.Msg
	if e.Hint != "" {
		s += "\n" + e.Hint
	}
	return s
}

// hint sets the remedy and returns e.
func (e *Error) hint(format string, args ...any) *Error {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	e.Hint = format
	return e
}

// errorf makes an error at a byte offset of a source.
func (f *source) errorf(pos int32, format string, args ...any) *Error {
	before := f.text[:min(int(pos), len(f.text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return &Error{
		File:   f.name,
		Line:   strings.Count(before, "\n") + 1,
		Column: len(before) - start + 1,
		Msg:    fmt.Sprintf(format, args...),
	}
}

// errorf makes an error at the declaration's name.
func (d *decl) errorf(format string, args ...any) *Error {
	return d.file.errorf(d.pos, format, args...)
}

// suggest says which of the names was probably meant, and lists them all.
func suggest(name string, names []string, intro string) string {
	if len(names) == 0 {
		return ""
	}
	best, bestDistance := "", 3
	for _, n := range names {
		if d := distance(name, n); d < bestDistance {
			best, bestDistance = n, d
		}
	}
	const most = 30 // more names than this do not help
	list := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		list += ", …"
	}
	hint := intro + ": " + list + "."
	if best != "" {
		hint = "Did you mean “" + best + "”? " + hint
	}
	return hint
}

// distance counts the letters to insert, delete or replace between two names,
// ignoring case. Above 64 letters it gives up: nobody mistypes such names.
func distance(a, b string) int {
	x, y := bytes.ToLower([]byte(a)), bytes.ToLower([]byte(b))
	if len(x) > 64 || len(y) > 64 {
		return 64
	}
	var row [65]int
	for j := range len(y) + 1 {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
