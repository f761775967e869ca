package terminal

import (
	"bytes"
	"os"
	"testing"
)

func TestPlain(t *testing.T) {
	const hostile = "a\tb\n\x1b]0;owned\x07 \x1b[2J\r\b\x7f\x00 \u009b31m é \u00a0 ÿ Ā 語 😀\n" +
		"\u202egnp.exe\u202c \u2066x\u2069 \x9b31m \xe8\xaa\n"
	const want = "a\tb\n?]0;owned? ?[2J???? ?31m é \u00a0 ÿ Ā 語 😀\n" +
		"?gnp.exe? ?x? ?31m ??\n"
	for _, size := range []int{1, 2, 3, 1000} {
		var out bytes.Buffer
		p := NewPlain(&out)
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

func TestCell(t *testing.T) {
	if got := Cell("x\x1b[2J\nadmin\ty\u009b\u2028\u202ez"); got != "x?[2J?admin?y???z" {
		t.Errorf("%q", got)
	}
}

func TestFile(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if _, ok := File(NewPlain(null)); ok {
		t.Error("the null device is a terminal")
	}
	if _, ok := File(NewPlain(&bytes.Buffer{})); ok {
		t.Error("a buffer is a terminal")
	}
}
