package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	const hostile = "a\tb\n\x1b]0;owned\x07 \x1b[2J\r\b\x7f\x00 \u009b31m é \u00a0 ÿ Ā\n"
	const want = "a\tb\n?]0;owned? ?[2J???? ?31m é \u00a0 ÿ Ā\n"
	for _, size := range []int{1, 2, 3, 1000} {
		var out bytes.Buffer
		p := &plain{w: &out}
		for in := []byte(hostile); len(in) > 0; {
			n := min(size, len(in))
			if got, err := p.Write(in[:n]); got != n || err != nil {
				t.Fatal(got, err)
			}
			in = in[n:]
		}
		if out.String() != want {
			t.Errorf("in chunks of %d: %q", size, out.String())
		}
	}
}

// What strangers choose, such as the titles of grains and apps, cannot command
// the administrator's terminal or make up lines of a table.
func TestTextForPeopleIsPlain(t *testing.T) {
	var out bytes.Buffer
	o := output{}
	err := o.print(&out, nil, func(w io.Writer) {
		table(w, []string{"ID", "TITLE"}, [][]string{{"1", "x\x1b[2J\nadmin\ty\u009bz"}})
		_, _ = io.WriteString(w, "Installed \x1b]52;c;AAAA\x07\n")
	})
	if err != nil || strings.ContainsAny(out.String(), "\x1b\x07\u009b") || strings.Count(out.String(), "\n") != 3 {
		t.Errorf("%q, %v", out.String(), err)
	}
}
