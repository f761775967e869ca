package main

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

func units(s string) []uint16 { return utf16.Encode([]rune(s)) }

func parseOp(t testing.TB, s string) Op {
	t.Helper()
	var o Op
	if err := json.Unmarshal([]byte(s), &o); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return o
}

func TestApply(t *testing.T) {
	for _, tt := range []struct {
		text, op, want string
		err            error
	}{
		{"", `["hi"]`, "hi", nil},
		{"hello", `[5," world"]`, "hello world", nil},
		{"hello", `[1,-3,1]`, "ho", nil},
		{"hello", `[1,-3,"ipp",1]`, "hippo", nil},
		{"a😀b", `[3,"!",1]`, "a😀!b", nil},
		{"hello", `[4]`, "", errLength},
		{"hello", `[6]`, "", errLength},
		{"hello", `[]`, "", errLength},
		{"a😀b", `[2,"!",2]`, "", errPair},
		{"a😀b", `[1,-1,2]`, "", errPair},
	} {
		got, err := parseOp(t, tt.op).apply(units(tt.text))
		if !errors.Is(err, tt.err) || (err == nil && string(utf16.Decode(got)) != tt.want) {
			t.Errorf("%q %s: %q, %v; want %q, %v", tt.text, tt.op, string(utf16.Decode(got)), err, tt.want, tt.err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, in := range []string{
		`null1`, `{}`, `"x"`, `[null]`, `[1.5]`, `[0]`, `[""]`, `[true]`, `[[1]]`, `[9999999]`, `[-9999999]`, `[1e400]`,
		`["\ud83d"]`, `["\ude00x"]`, "[\"\xff\"]", `[` + strings.Repeat(`1,`, maxSteps) + `1]`,
	} {
		var o Op
		if err := json.Unmarshal([]byte(in), &o); err == nil {
			t.Errorf("%.40s was taken as %v", in, o)
		}
	}
	parseOp(t, `["a genuine \ufffd"]`[:3]+"\uFFFD\"]")
}

func TestMovePosition(t *testing.T) {
	for _, tt := range []struct {
		op       string
		at, want int
	}{
		{`["ab",5]`, 0, 2},
		{`[5,"ab"]`, 4, 4},
		{`[5,"ab"]`, 5, 7},
		{`[1,-3,1]`, 0, 0},
		{`[1,-3,1]`, 2, 1},
		{`[1,-3,1]`, 5, 2},
	} {
		if got := parseOp(t, tt.op).movePosition(tt.at); got != tt.want {
			t.Errorf("%s at %d: %d, want %d", tt.op, tt.at, got, tt.want)
		}
	}
}

// randomOp makes a change of text out of characters that take one and two units.
func randomOp(r *rand.Rand, text []uint16) Op {
	var o Op
	for at := 0; at < len(text); {
		n := min(1+r.IntN(4), len(text)-at)
		if splitsPair(text, at+n) {
			n++
		}
		switch r.IntN(4) {
		case 0:
			o = o.add(step{del: n})
		case 1:
			o = o.add(step{insert: units([]string{"x", "yz", "😀", "\n"}[r.IntN(4)])})
			fallthrough
		default:
			o = o.add(step{keep: n})
		}
		at += n
	}
	if r.IntN(3) == 0 || len(text) == 0 {
		o = o.add(step{insert: units("end")})
	}
	return o
}

// checkTransform is the law that everything rests on.
func checkTransform(t *testing.T, text []uint16, a, b Op) {
	t.Helper()
	a2, b2, err := transform(a, b)
	if err != nil {
		t.Fatal(err)
	}
	ta, _ := a.apply(text)
	tb, _ := b.apply(text)
	left, err1 := b2.apply(ta)
	right, err2 := a2.apply(tb)
	if err1 != nil || err2 != nil || !slices.Equal(left, right) {
		t.Fatalf("text %v: %v and %v part: %v, %v; %v %v", text, a, b, left, right, err1, err2)
	}
}

func TestTransform(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		text := units(strings.Repeat("ab😀c", r.IntN(6)))
		checkTransform(t, text, randomOp(r, text), randomOp(r, text))
	}
	if _, _, err := transform(parseOp(t, `[3]`), parseOp(t, `[4]`)); !errors.Is(err, errLength) {
		t.Errorf("changes of different texts: %v", err)
	}
}

func FuzzOp(f *testing.F) {
	f.Add("hello", `[1,-3,"ipp",1]`, `[5,"!"]`)
	f.Add("a😀b", `["x",4]`, `[-4]`)
	f.Fuzz(func(t *testing.T, s, ja, jb string) {
		text := units(s)
		var a, b Op
		if json.Unmarshal([]byte(ja), &a) != nil || json.Unmarshal([]byte(jb), &b) != nil {
			return
		}
		after, err := a.apply(text)
		if err != nil {
			return
		}
		if !slices.Equal(units(string(utf16.Decode(after))), after) {
			t.Fatalf("%q %s left half a character", s, ja)
		}
		again, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if third, err := parseOp(t, string(again)).apply(text); err != nil || !slices.Equal(third, after) {
			t.Fatalf("%s comes back as %s", ja, again)
		}
		if _, err := b.apply(text); err == nil {
			checkTransform(t, text, a, b)
		}
	})
}
