package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

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
