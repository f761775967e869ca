package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

const replacement = "\uFFFD"

// An Op is one change of a text: from left to right, how much is kept, what is
// inserted, how much is deleted. All lengths count UTF-16 code units, since
// that is what browsers count. On the wire it is an array: a positive number
// keeps, a negative one deletes, a string inserts.
//
// Two changes made at the same time to the same text are brought together by
// transform: it is what lets several people type without a lock.
type Op []step

type step struct {
	keep   int
	del    int
	insert []uint16
}

var (
	errShape  = errors.New("not a change")
	errLength = errors.New("the change does not fit the text")
	errPair   = errors.New("the change splits a character")
)

// maxSteps bounds a single change. A browser sends one or three steps; a
// client that was offline composes many into one.
const maxSteps = 20000

// add appends s, merged with the last step where both are of one sort. An
// insertion is put before a deletion, so that equal changes look equal.
func (o Op) add(s step) Op {
	if s.keep == 0 && s.del == 0 && len(s.insert) == 0 {
		return o
	}
	n := len(o)
	if n == 0 {
		return append(o, s)
	}
	last := &o[n-1]
	switch {
	case s.keep > 0 && last.keep > 0:
		last.keep += s.keep
	case s.del > 0 && last.del > 0:
		last.del += s.del
	case len(s.insert) > 0 && len(last.insert) > 0:
		last.insert = append(last.insert[:len(last.insert):len(last.insert)], s.insert...)
	case len(s.insert) > 0 && last.del > 0:
		deletion := *last
		if n > 1 && len(o[n-2].insert) > 0 {
			before := &o[n-2]
			before.insert = append(before.insert[:len(before.insert):len(before.insert)], s.insert...)
			return o
		}
		o[n-1] = s
		return append(o, deletion)
	default:
		return append(o, s)
	}
	return o
}

// lengths returns how long a text the change applies to and what it makes of it.
func (o Op) lengths() (base, target int) {
	for _, s := range o {
		base += s.keep + s.del
		target += s.keep + len(s.insert)
	}
	return base, target
}

// apply returns the changed text; text itself stays as it is.
func (o Op) apply(text []uint16) ([]uint16, error) {
	base, target := o.lengths()
	if base != len(text) {
		return nil, errLength
	}
	out := make([]uint16, 0, target)
	at := 0
	for _, s := range o {
		if splitsPair(text, at) {
			return nil, errPair
		}
		out = append(out, text[at:at+s.keep]...)
		out = append(out, s.insert...)
		at += s.keep + s.del
	}
	return out, nil
}

// splitsPair reports whether position at lies inside a surrogate pair.
func splitsPair(text []uint16, at int) bool {
	return at > 0 && at < len(text) &&
		text[at-1]&0xfc00 == 0xd800 && text[at]&0xfc00 == 0xdc00
}

// transform takes two changes of the same text and returns how each must look
// to be made after the other: text·a·b2 equals text·b·a2. Where both insert at
// one place, a's text comes first.
func transform(a, b Op) (a2, b2 Op, err error) {
	ra, rb := reader{op: a}, reader{op: b}
	for !ra.done() || !rb.done() {
		x, y := ra.peek(), rb.peek()
		switch {
		case len(x.insert) > 0:
			a2 = a2.add(x)
			b2 = b2.add(step{keep: len(x.insert)})
			ra.skip()
			continue
		case len(y.insert) > 0:
			a2 = a2.add(step{keep: len(y.insert)})
			b2 = b2.add(y)
			rb.skip()
			continue
		case ra.done() || rb.done():
			return nil, nil, errLength
		}
		n := min(x.keep+x.del, y.keep+y.del)
		switch {
		case x.keep > 0 && y.keep > 0:
			a2 = a2.add(step{keep: n})
			b2 = b2.add(step{keep: n})
		case x.del > 0 && y.keep > 0:
			a2 = a2.add(step{del: n})
		case x.keep > 0 && y.del > 0:
			b2 = b2.add(step{del: n})
		}
		ra.take(n)
		rb.take(n)
	}
	return a2, b2, nil
}

// reader walks through a change and can stop in the middle of a step.
type reader struct {
	op   Op
	i    int
	used int // of the step at i
}

func (r *reader) done() bool { return r.i >= len(r.op) }

// peek returns what is left of the current step.
func (r *reader) peek() step {
	if r.done() {
		return step{}
	}
	s := r.op[r.i]
	if s.keep > 0 {
		s.keep -= r.used
	}
	if s.del > 0 {
		s.del -= r.used
	}
	return s
}

func (r *reader) skip() { r.i, r.used = r.i+1, 0 }

// take consumes n units of the current kept or deleted step.
func (r *reader) take(n int) {
	r.used += n
	if s := r.op[r.i]; r.used >= s.keep+s.del {
		r.skip()
	}
}

// movePosition returns where a caret at position at ends up after o.
func (o Op) movePosition(at int) int {
	old, moved := 0, at
	for _, s := range o {
		switch {
		case len(s.insert) > 0:
			if old <= at {
				moved += len(s.insert)
			}
		case s.del > 0:
			if old < at {
				moved -= min(s.del, at-old)
			}
			old += s.del
		default:
			old += s.keep
		}
		if old > at {
			break
		}
	}
	return moved
}

// MarshalJSON writes the array form.
func (o Op) MarshalJSON() ([]byte, error) {
	parts := make([]any, 0, len(o))
	for _, s := range o {
		switch {
		case len(s.insert) > 0:
			parts = append(parts, string(utf16.Decode(s.insert)))
		case s.del > 0:
			parts = append(parts, -s.del)
		default:
			parts = append(parts, s.keep)
		}
	}
	return json.Marshal(parts)
}

// UnmarshalJSON reads the array form and refuses whatever is not one: a
// browser may send anything.
func (o *Op) UnmarshalJSON(b []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return fmt.Errorf("%w: %w", errShape, err)
	}
	if len(parts) > maxSteps {
		return errShape
	}
	op := Op{}
	for _, p := range parts {
		s, err := parseStep(p)
		if err != nil {
			return err
		}
		op = op.add(s)
	}
	*o = op
	return nil
}

func parseStep(p json.RawMessage) (step, error) {
	if len(p) > 0 && p[0] == '"' {
		var text string
		if err := json.Unmarshal(p, &text); err != nil {
			return step{}, errShape
		}
		// Half a surrogate pair decodes to U+FFFD: the sender and we would no
		// longer have the same text. Only those that were sent as such may be there.
		if text == "" || strings.Count(text, replacement) != strings.Count(string(p), replacement) {
			return step{}, errPair
		}
		return step{insert: utf16.Encode([]rune(text))}, nil
	}
	var n int
	if err := json.Unmarshal(p, &n); err != nil || n == 0 || n > maxText || n < -maxText {
		return step{}, errShape
	}
	if n < 0 {
		return step{del: -n}, nil
	}
	return step{keep: n}, nil
}
