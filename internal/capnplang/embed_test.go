package capnplang

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"capnproto.org/go/capnp/v3"
)

const embedSchema = `@0xb1d2c3a4f5e60077;
enum E { one @0; two @1; }
struct S {
  n @0 :Int32 = 7;
  b @1 :Bool = true;
  text @2 :Text;
  data @3 :Data;
  list @4 :List(S);
  words @5 :List(UInt16);
  bits @6 :List(Bool);
  voids @7 :List(Void);
  texts @8 :List(Text);
  nested @9 :List(List(Int8));
  next @10 :S;
  e @11 :E = two;
  enums @12 :List(E);
  union { x @13 :Void; y @14 :Text; z @15 :Int64; }
  g :group { f @16 :Float64; u @17 :UInt8; }
}
const source :S = (n = -1, b = false, text = "text", data = 0x"010203", list = [(n = 1), (), (text = "three", y = "y")],
  words = [1, 2, 65535], bits = [true, false, true], voids = [void, void], texts = ["a", "", "c"], nested = [[1], [], [2, 3]],
  next = (next = (z = -5)), e = one, enums = [two, one], y = "why", g = (f = 0.5, u = 255));
`

// TestEmbedMessage embeds messages into a struct: as our own encoder and as the
// tool write them, and cut into so many segments that all kinds of far pointers
// occur.
func TestEmbedMessage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "e.capnp")
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("e.capnp", []byte(embedSchema))
	f, err := Load(file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.Const("source")
	if err != nil {
		t.Fatal(err)
	}
	own, err := v.Message()
	if err != nil {
		t.Fatal(err)
	}
	text, err := v.JSON()
	if err != nil {
		t.Fatal(err)
	}
	write("own", own)
	for segments, size := range map[string]string{"one": "1000", "many": "1", "some": "3"} {
		cmd := exec.Command("capnp", "convert", "--segment-size="+size, "binary:binary")
		cmd.Stdin = bytes.NewReader(own)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if segments == "many" && out[0] < 10 {
			t.Fatalf("only %d segments", out[0]+1)
		}
		write(segments, out)
	}
	write("e.capnp", []byte(embedSchema+`
const own :S = embed "own"; const one :S = embed "one"; const many :S = embed "many"; const some :S = embed "some";
const within :S = (list = [embed "many", (n = 3), .own], next = embed "some");
`))
	if f, err = Load(file, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"own", "one", "many", "some", "within"} {
		v, err := f.Const(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		message, err := v.Message()
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if name != "within" && !bytes.Equal(got, text) {
			t.Errorf("%s: JSON is\n%s\nwant\n%s", name, got, text)
		}
		eval := func(format string) []byte {
			cmd := exec.Command("capnp", "eval", "--output="+format, "e.capnp", name)
			cmd.Dir = dir
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if want := eval("canonical"); !bytes.Equal(canonical(t, message), want) {
			t.Errorf("%s: message differs from the tool's", name)
		}
		if want := eval("json"); !sameJSON(t, got, want) {
			t.Errorf("%s: JSON is\n%s\nthe tool makes\n%s", name, got, want)
		}
	}
}

// word builds messages for attacks: little-endian words.
func words(ws ...uint64) []byte {
	var b []byte
	for _, w := range ws {
		for i := range 8 {
			b = append(b, byte(w>>(8*i)))
		}
	}
	return b
}

// TestEmbedMalformed embeds messages that are none, or that unfold to far more
// than they contain.
func TestEmbedMalformed(t *testing.T) {
	structPointer := func(offset int, data, pointers uint64) uint64 {
		return uint64(uint32(offset)<<2) | data<<32 | pointers<<48
	}
	for name, c := range map[string]struct {
		message []byte
		want    string
	}{
		"empty":           {nil, "cut off"},
		"odd length":      {make([]byte, 15), "cut off"},
		"no segment":      {words(5 << 32), "cut off"},
		"many segments":   {words(0xffffffff), "cut off"},
		"null":            {words(1<<32, 0), ""},
		"outside":         {words(1<<32, structPointer(5, 1, 0)), "cut off"},
		"negative":        {words(1<<32, structPointer(-3, 1, 0)), "cut off"},
		"itself":          {words(1<<32, structPointer(-1, 0, 1)), "nested too deeply"},
		"two of itself":   {words(2<<32, structPointer(0, 0, 1), structPointer(-1, 0, 1)), "nested too deeply"},
		"capability":      {words(1<<32, 3), "capability"},
		"list as root":    {words(1<<32, 1), "malformed"},
		"far to nowhere":  {words(1<<32, 2|9<<32), "cut off"},
		"far to far":      {words(2<<32, 2|1<<3, 2|1<<3), "malformed"},
		"double far":      {words(3<<32, 6|1<<3, 7, 0), "malformed"},
		"huge list":       {words(2<<32, structPointer(0, 0, 1), 1|6<<32|(1<<29-1)<<35), "cut off"},
		"huge void list":  {words(2<<32, structPointer(0, 0, 1), 1|(1<<29-1)<<35), ""},
		"huge empty list": {words(3<<32, structPointer(0, 0, 1), 1|7<<32, (1<<30-1)<<2), "too large"},
		"bad tag":         {words(3<<32, structPointer(0, 0, 1), 1|7<<32, 1), "malformed"},
		"long tag":        {words(3<<32, structPointer(0, 0, 1), 1|7<<32, 9<<2|1<<32), "malformed"},
		"folded": {append(append(words(103<<32, structPointer(0, 0, 1)),
			bytes.Repeat(words(1|6<<32|2<<35), 100)...), words(0, 0)...), "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "m"), c.message, 0o600); err != nil {
				t.Fatal(err)
			}
			source := strings.Replace(embedSchema, "const source", "const x :S = embed \"m\";\nconst source", 1)
			path := filepath.Join(dir, "e.capnp")
			if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Load(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			v, err := f.Const("x")
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if err != nil {
				return
			}
			message, err := v.Message()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := capnp.Unmarshal(message); err != nil {
				t.Fatal(err)
			}
			if _, err := v.JSON(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
