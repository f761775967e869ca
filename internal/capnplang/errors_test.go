package capnplang

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What all of the sources below start with, on one line, so that their own first
// line is the second.
const errorsHead = `@0xc5a1e0b7d2f30001; struct S { a @0 :Int8; text @1 :Text; data @2 :Data; list @3 :List(S); e @4 :E; ` +
	`any @5 :AnyPointer; cap @6 :Capability; b @7 :Bool; appTitle @8 :Text; union { x @9 :Void; y @10 :Text; } ` +
	`g :group { n @11 :UInt16; } f @12 :Float32; } enum E { one @0; two @1; } using Util = import "/sandstorm/util.capnp";` + "\n"

// badSources are sources with a mistake: where it is, what is said of it, and a
// part of the remedy. The reference tool must refuse them too, at the same place
// unless elsewhere is set; if accepts is set, some of its versions do not notice.
var badSources = []struct {
	name, source, want, hint string
	elsewhere, accepts       bool
}{
	{name: "unknown field", source: `const x :S = (apTitle = "x");`, want: `2:15: the struct S has no field “apTitle”`, hint: "Did you mean “appTitle”? Its fields are: a, text,"},
	{name: "unknown field far off", source: `const x :S = (zzzzzzz = "x");`, want: `2:15: the struct S has no field “zzzzzzz”`, hint: "Its fields are: a, text, data, list, e, any, cap, b, appTitle, x, y, g, f."},
	{name: "unknown field in group", source: `const x :S = (g = (m = 1));`, want: `2:20: the group “g” has no field “m”`, hint: "n"},
	{name: "field twice", source: `const x :S = (a = 1, a = 2);`, want: `2:22: the field “a” is set twice`, hint: "Remove", accepts: true},
	{name: "two of a union", source: `const x :S = (x = void, y = "");`, want: `2:25: “x” and “y” exclude each other: they are members of one union`, hint: "Remove", accepts: true},
	{name: "unnamed member", source: `const x :S = (a = 1, 2);`, want: `2:22: a member of a struct needs its name`, hint: "name = value"},
	{name: "text for number", source: `const x :S = (a = "1");`, want: `2:19: expected Int8, found a text`},
	{name: "number for text", source: `const x :S = (text = 1);`, want: `2:22: expected Text, found an integer`, hint: `"…"`},
	{name: "bytes for text", source: `const x :S = (text = 0x"00");`, want: `2:22: expected Text, found bytes`},
	{name: "struct for list", source: `const x :S = (list = (a = 1));`, want: `2:22: expected List(S), found a struct`, hint: "[value"},
	{name: "list for struct", source: `const x :S = [1];`, want: `2:14: expected the struct S, found a list`, hint: "(name = value"},
	{name: "number for bool", source: `const x :S = (b = 1);`, want: `2:19: expected Bool, found an integer`, hint: "true or false"},
	{name: "true for text", source: `const x :S = (text = true);`, want: `2:22: expected Text, found “true”`},
	{name: "fraction for integer", source: `const x :S = (a = 1.5);`, want: `2:19: expected Int8, found a number with a fraction`},
	{name: "literal for AnyPointer", source: `const x :S = (any = "x");`, want: `2:21: expected AnyPointer, found a text`, hint: "const tag :Type"},
	{name: "capability", source: `const x :S = (cap = void);`, want: `2:21: a capability has no value that could be written down`, hint: "Leave"},
	{name: "void for group", source: `const x :S = (g = void);`, want: `2:19: expected the members of a group, found “void”`},
	{name: "too large", source: `const x :S = (a = 128);`, want: `2:19: this number does not fit Int8`, hint: "-128 to 127"},
	{name: "too small", source: `const x :S = (a = -129);`, want: `2:20: this number does not fit Int8`},
	{name: "negative unsigned", source: `const x :S = (g = (n = -1));`, want: `2:25: this number does not fit UInt16`, hint: "0 to 65535"},
	{name: "beyond 64 bits", source: `const x :UInt64 = 18446744073709551616;`, want: `2:19: the number 18446744073709551616 is too large`, accepts: true},
	{name: "below 64 bits", source: `const x :Int64 = -9223372036854775809;`, want: `2:19: this number does not fit Int64`},
	{name: "float too large", source: `const x :Float64 = 1e500;`, want: `2:20: the number 1e500 is too large`, accepts: true},
	{name: "float32 too large", source: `const x :S = (f = 1e39);`, want: `2:19: this number does not fit Float32`, accepts: true},
	{name: "constant out of range", source: `const y :Int32 = 300; const x :S = (a = .y);`, want: `2:41: this number does not fit Int8`},
	{name: "not octal", source: `const x :Int32 = 089;`, want: `2:18: “089” is not a number`, hint: "octal", elsewhere: true},
	{name: "not a number", source: `const x :Int32 = 12ab;`, want: `2:18: “12ab” is not a number`, elsewhere: true},
	{name: "no enumerant", source: `const x :S = (e = tow);`, want: `2:19: the enum E has no “tow”`, hint: "Did you mean “two”"},
	{name: "number for enum", source: `const x :S = (e = 1);`, want: `2:19: expected the enum E, found an integer`, hint: "one, two"},
	{name: "enumerant with path", source: `const x :S = (e = E.two);`, want: `2:21: “E” has no member “two”`},
	{name: "unqualified constant", source: `const y :Int8 = 1; const x :S = (a = y);`, want: `2:38: “y” is a constant and needs its path`, hint: "Write .y."},
	{name: "unqualified nested constant", source: `struct N { const y :Int8 = 1; const z :Int8 = y; } const x :Int8 = N.z;`, want: `2:47: “y” is a constant and needs its path`, hint: "Write N.y."},
	{name: "undefined constant", source: `const comand :Int8 = 1; const x :S = (a = .command);`, want: `2:43: “command” is not defined`, hint: "Did you mean “comand”", elsewhere: true},
	{name: "undefined type", source: `const x :Txt = 1;`, want: `2:10: “Txt” is not defined`},
	{name: "undefined member", source: `const x :Util.LocalisedText = ();`, want: `2:15: “Util” has no member “LocalisedText”`, hint: "Did you mean “LocalizedText”", elsewhere: true},
	{name: "type for constant", source: `const x :S = .S;`, want: `2:14: “.S” is a struct, not a constant`},
	{name: "constant for type", source: `const y :Int8 = 1; const x :import "bad.capnp".y = 1;`, want: `2:48: “import "bad.capnp".y” is a constant, not a type`, elsewhere: true},
	{name: "wrong constant", source: `const y :Text = ""; const x :S = (data = .y);`, want: `2:42: expected Data, but “.y” is Text`},
	{name: "wrong struct constant", source: `struct T {} const y :T = (); const x :S = .y;`, want: `2:43: expected the struct S, but “.y” is the struct T`},
	{name: "itself", source: `const x :Int8 = .x;`, want: `2:7: the constant “x” depends on itself`, hint: "circle"},
	{name: "each other", source: `const x :S = .y; const y :S = (list = [.x]);`, want: `2:7: the constant “x” depends on itself`},
	{name: "alias of itself", source: `using A = B; using B = A; const x :A = 1;`, want: `2:7: “A” stands for itself`, hint: "circle", elsewhere: true},
	{name: "default of itself", source: `struct T { a @0 :Int8 = .y; } const y :Int8 = .x; const x :Int8 = .y;`, want: `2:57: the constant “x” depends on itself`, elsewhere: true},
	{name: "missing import", source: `using M = import "/nowhere.capnp"; const x :M.T = ();`, want: `2:11: cannot import “/nowhere.capnp”: there is no such file`, hint: "looked up in the import path", elsewhere: true},
	{name: "missing relative import", source: `const x :import "nowhere.capnp".T = ();`, want: `2:10: cannot import “nowhere.capnp”: there is no such file`, hint: "relative", elsewhere: true},
	{name: "missing embed", source: `const x :S = (text = embed "nowhere");`, want: `2:22: cannot embed “nowhere”: there is no such file`, hint: "relative", elsewhere: true},
	{name: "embed of a directory", source: `const x :S = (text = embed ".");`, want: `2:22: cannot embed “.”: it is not a regular file`, elsewhere: true},
	{name: "embed as number", source: `const x :S = (a = embed "bad.capnp");`, want: `2:19: a file can be embedded as Text, Data or a struct, but Int8 is expected here`},
	{name: "embed as message", source: `const x :S = embed "bad.capnp";`, want: `2:14: “bad.capnp” is not a Cap'n Proto message: it is cut off`, hint: "framed"},
	{name: "error in an import", source: `const x :import "broken.capnp".T = ();`, want: `2:15: the number @0 is left out`, elsewhere: true},
	{name: "open text", source: "const x :S = (text = \"abc\n);", want: `2:22: this text has no closing quote on its line`, hint: "\\n", elsewhere: true},
	{name: "open text at the end", source: `const x :S = (text = "abc`, want: `2:22: this text has no closing quote`, elsewhere: true},
	{name: "open bytes", source: `const x :S = (data = 0x"00`, want: `2:22: these bytes have no closing quote`, elsewhere: true},
	{name: "odd bytes", source: `const x :S = (data = 0x"0");`, want: `2:26: bytes are written as pairs of hexadecimal digits`, hint: `0x"01 ab ff"`, elsewhere: true},
	{name: "bad escape", source: `const x :S = (text = "a\q");`, want: `2:24: unknown escape in a text`, hint: `\xHH`, elsewhere: true},
	{name: "single quotes", source: `const x :S = (text = 'a');`, want: `2:22: a single quote does not start a text`, hint: "double quotes"},
	{name: "foreign letters", source: `const x :S = (é = 1);`, want: `2:15: a letter beyond ASCII stands outside of a text`},
	{name: "zero byte", source: "const x :S = (\x00);", want: `2:15: the file is not UTF-8 text`},
	{name: "open bracket", source: `const x :S = (list = [(a = 1);`, want: `2:30: expected “,” or “]”, found “;”`, hint: "The “[” that is open here stands at 2:22."},
	{name: "open bracket at the end", source: `const x :S = (a = 1`, want: `3:1: the file ends where “,” or “)” should be`, hint: "missing above"},
	{name: "wrong bracket", source: `const x :S = (list = [1);`, want: `2:24: expected “,” or “]”, found “)”`},
	{name: "bracket too many", source: `const x :S = (a = 1));`, want: `2:21: expected “;” at the end of the statement, found “)”`},
	{name: "missing comma", source: `const x :S = (a = 1 b = true);`, want: `2:21: expected “,” or “)”, found “b”`, elsewhere: true},
	{name: "double comma", source: `const x :S = (list = [(),,()]);`, want: `2:26: an item is missing before this comma`, elsewhere: true},
	{name: "only a comma", source: `const x :S = (,);`, want: `2:15: an item is missing before this comma`, elsewhere: true},
	{name: "missing value", source: `const x :S = (a = );`, want: `2:19: expected a value or a name, found “)”`, elsewhere: true},
	{name: "missing semicolon", source: "const x :S = ()\nconst y :S = ();", want: `3:1: expected “;” at the end of the statement, found “const”`, elsewhere: true},
	{name: "missing semicolon at the end", source: `const x :S = ()`, want: `3:1: the file ends where “;” at the end of the statement should be`},
	{name: "missing type", source: `const x = ();`, want: `2:9: expected “:” and the type of the constant, found “=”`, elsewhere: true},
	{name: "signs together", source: `const x :Int8 =-1;`, want: `2:15: expected “=” and the value of the constant, found “=-”`, hint: "spaces", elsewhere: true},
	{name: "unknown statement", source: `cnst x :S = ();`, want: `2:1: “cnst” does not start a declaration here`, hint: "Did you mean “const”", elsewhere: true},
	{name: "semicolon too many", source: `struct T {}; const x :T = ();`, want: `2:12: expected a declaration, found “;”`},
	{name: "name twice", source: `struct T {} const y :Int8 = 1; const y :Int8 = 2; const x :S = ();`, want: `2:38: “y” is declared twice`, hint: "2:19"},
	{name: "field name twice", source: `struct T { a @0 :Int8; union { a @1 :Void; b @2 :Void; } } const x :T = ();`, want: `2:32: “a” is declared twice`},
	{name: "small type", source: `struct t {} const x :t = ();`, want: `2:8: the name of a type begins with a capital letter, unlike “t”`},
	{name: "capital constant", source: `const X :S = (); const x :S = ();`, want: `2:7: the name of a constant begins with a small letter, unlike “X”`},
	{name: "underscore", source: `const x_y :S = (); const x :S = ();`, want: `2:7: the name “x_y” contains an underscore`, hint: "camelCase"},
	{name: "number twice", source: `struct T { a @0 :Int8; b @0 :Int8; } const x :T = ();`, want: `2:27: the number @0 is given twice`, hint: "“a” has it"},
	{name: "number left out", source: `struct T { a @0 :Int8; b @2 :Int8; } const x :T = ();`, want: `2:27: the number @1 is left out`, hint: "without a gap"},
	{name: "enum number left out", source: `enum T { a @0; b @2; } const x :T = a;`, want: `2:19: the number @1 is left out`},
	{name: "number too large", source: `struct T { a @65536 :Int8; } const x :T = ();`, want: `2:15: a number after “@” is at most 65535`},
	{name: "no number", source: `struct T { a :Int8; } const x :T = ();`, want: `2:12: the field “a” has no number`, hint: "a @0 :Type", elsewhere: true},
	{name: "one-member union", source: `struct T { u :union { a @0 :Int8; } } const x :T = ();`, want: `2:12: a union needs at least two members`},
	{name: "empty group", source: `struct T { g :group {} } const x :T = ();`, want: `2:12: the group “g” is empty`},
	{name: "two unnamed unions", source: `struct T { union { a @0 :Int8; b @1 :Int8; } union { c @2 :Int8; d @3 :Int8; } } const x :T = ();`, want: `2:46: a second union without a name`},
	{name: "union with number", source: `struct T { u @0 :union { a @1 :Int8; b @2 :Int8; } } const x :T = ();`, want: `2:15: a union needs no number`, hint: "@0!"},
	{name: "union too late", source: `struct T { u @2! :union { a @0 :Int8; b @1 :Int8; } } const x :T = ();`, want: `2:15: the number of a union must be smaller`},
	{name: "list of nothing", source: `const x :List = [];`, want: `2:10: List needs to know of what`, hint: "List(Text)"},
	{name: "list of two", source: `const x :List(Int8, Int8) = [];`, want: `2:10: “List” takes one type parameter, not 2`},
	{name: "parameters of a plain type", source: `const x :S(Int8) = ();`, want: `2:10: “S” takes no type parameters, not 1`},
	{name: "bad id", source: `struct T @0x1 {} const x :T = ();`, want: `2:11: this is not an id: its top bit is not set`, hint: "@0x"},
	{name: "second id", source: `@0xc5a1e0b7d2f30002; const x :S = ();`, want: `2:1: the file has two ids`, elsewhere: true},
	{name: "not there", source: `const y :S = ();`, want: `1:1: there is no constant “x” in this file`, hint: "constants: y.", elsewhere: true},
	{name: "not a constant", source: `using x = S;`, want: `2:7: “x” is an alias, not a constant`, elsewhere: true},
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	broken := "@0xc5a1e0b7d2f30009;\nstruct T { a @2 :Int8; }\n"
	if err := os.WriteFile(filepath.Join(dir, "broken.capnp"), []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range badSources {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, "bad.capnp")
			if err := os.WriteFile(path, []byte(errorsHead+c.source+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			e := mustFail(t, path)
			file, rest, _ := strings.Cut(e.Error(), ".capnp:")
			message, _, _ := strings.Cut(rest, "\n")
			if !strings.HasPrefix(message, c.want) || filepath.Dir(file) != dir {
				t.Errorf("got  %s\nwant %s", message, c.want)
			}
			if !strings.Contains(e.Hint, c.hint) {
				t.Errorf("hint %q does not say %q", e.Hint, c.hint)
			}
			position := strings.Join(strings.SplitN(c.want, ":", 3)[:2], ":")
			talk := toolRefusal(t, dir)
			switch {
			case c.accepts:
			case talk == "":
				t.Error("the tool accepts it")
			case !c.elsewhere && !strings.HasPrefix(talk, "bad.capnp:"+position+":") && !strings.HasPrefix(talk, "bad.capnp:"+position+"-"):
				t.Errorf("we complain at %s, the tool says %q", position, talk)
			}
		})
	}
}

// mustFail loads and evaluates x and gives the error.
func mustFail(t *testing.T, path string) *Error {
	t.Helper()
	f, err := Load(path, corpusOptions())
	if err == nil {
		_, err = f.Const("x")
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("no error in the source, but %v", err)
	}
	return e
}

// toolRefusal is what the tool says against bad.capnp.
func toolRefusal(t *testing.T, dir string) string {
	t.Helper()
	schemas, err := filepath.Abs("../../schema")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("capnp", "eval", "-I"+schemas, "bad.capnp", "x")
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil && stderr.Len() == 0 {
		t.Fatal(err)
	}
	return stderr.String()
}

func TestNoID(t *testing.T) {
	path := filepath.Join(t.TempDir(), "noid.capnp")
	if err := os.WriteFile(path, []byte("const x :Int8 = 1;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := mustFail(t, path)
	if e.Line != 1 || e.Column != 1 || !strings.HasPrefix(e.Hint, "Add this as its first line: @0x") {
		t.Fatal(e)
	}
	id := strings.TrimPrefix(e.Hint, "Add this as its first line: ")
	if err := os.WriteFile(path, []byte(id+"\nconst x :Int8 = 1;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, Options{}); err != nil {
		t.Fatalf("the remedy does not help: %v", err)
	}
}

func TestNoFile(t *testing.T) {
	e := mustFail(t, filepath.Join(t.TempDir(), "absent.capnp"))
	if !strings.Contains(e.Msg, "cannot read this file: no such file") {
		t.Fatal(e)
	}
}
