package main

import (
	"testing"
	"unicode/utf8"

	"github.com/sandstorm-go/sandstorm/apps/internal/visitor"
)

func TestParseLogLine(t *testing.T) {
	const ids = "0000000000000000000000000000000000000000 1111111111111111111111111111111111111111 "
	p, ok := parseLogLine(ids + "Ann Öl <ab@grain.invalid> 1764100000 +0100\tpush")
	if !ok || p.Who != "Ann Öl" || p.Time.Unix() != 1764100000 {
		t.Errorf("%+v %v", p, ok)
	}
	for _, bad := range []string{"", "x", ids, ids + "Ann", ids + "Ann <a> x +0000\tpush", ids + "Ann <a> -1 +0000", ids + "Ann <a> 99999999999999 +0000"} {
		if p, ok := parseLogLine(bad); ok {
			t.Errorf("%q is read as %+v", bad, p)
		}
	}
}

func FuzzLogLine(f *testing.F) {
	f.Add("0 1 Ann <a@b> 1764100000 +0100\tpush")
	f.Add("0 1 <> 5 +0000")
	f.Fuzz(func(t *testing.T, line string) {
		p, ok := parseLogLine(line)
		if ok && (p.Time.Year() < 1970 || p.Time.Year() > 40000) {
			t.Errorf("%q happened at %v", line, p.Time)
		}
	})
}

// Names become part of git's own records: they must not look like two lines,
// or like an address of somebody else's.
func TestWho(t *testing.T) {
	for name, want := range map[string]string{
		"Ann": "Ann", "Ann <root@example.org>": "Ann root@example.org", " .,;": "Anonymous", "<>": "Anonymous", "a\nb": "ab",
	} {
		if got, address := who(visitor.Visitor{Name: name, ID: "ab"}); got != want || address != "ab@grain.invalid" {
			t.Errorf("%q is %q <%s>, want %q", name, got, address, want)
		}
	}
	if _, address := who(visitor.Visitor{Name: "x"}); address != "anonymous@grain.invalid" {
		t.Error(address)
	}
}

func FuzzWho(f *testing.F) {
	f.Add("Ann <a@b>\n")
	f.Fuzz(func(t *testing.T, name string) {
		got, _ := who(visitor.Visitor{Name: name})
		for _, c := range got {
			if c == '<' || c == '>' || c == '\n' || c == 0 {
				t.Errorf("%q became %q", name, got)
			}
		}
		if got == "" || utf8.ValidString(name) && !utf8.ValidString(got) {
			t.Errorf("%q became %q", name, got)
		}
	})
}
