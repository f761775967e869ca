package capnplang

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/schema"
)

// evaluate writes a source and evaluates its constant x, with all that can be
// made of it.
func evaluate(t testing.TB, source string) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.capnp")
	if err := os.WriteFile(path, []byte("@0xb1d2c3a4f5e60001;\n"+source), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Load(path, Options{Builtin: schema.Files, MaxFile: 8 << 20})
	if err != nil {
		return err
	}
	v, err := f.Const("x")
	if err != nil {
		return err
	}
	if _, err := v.JSON(); err != nil {
		return err
	}
	if v.TypeID() == 0 {
		return nil
	}
	_, err = v.Message()
	return err
}

// repeated is a chain of n declarations, the first of which is first.
func repeated(n int, first, format string) string {
	var b strings.Builder
	b.WriteString(first)
	for i := 1; i <= n; i++ {
		b.WriteString(strings.NewReplacer("N", fmt.Sprint(i), "M", fmt.Sprint(i-1)).Replace(format))
	}
	return b.String()
}

// attacks are sources that are small but would cost much without limits.
var attacks = []struct{ name, source, want string }{
	{"billion laughs", "struct S { l @0 :List(S); t @1 :Text; }\nconst c0 :S = (t = \"lol\");\n" +
		repeated(40, "", "const cN :S = (l = [.cM, .cM, .cM, .cM, .cM, .cM, .cM, .cM, .cM, .cM]);\n") + "const x :S = .c40;", "larger than"},
	{"laughs without words", "struct E {} struct S { l @0 :List(List(E)); v @1 :List(List(List(E))); }\nconst e :List(E) = [" + strings.Repeat("(),", 100000) +
		"];\nconst x :S = (l = [" + strings.Repeat(".e,", 100000) + "]);", "larger than"},
	{"laughs of bits", "struct S { l @0 :List(List(Bool)); }\nconst e :List(Bool) = [" + strings.Repeat("true,", 100000) +
		"];\nconst x :S = (l = [" + strings.Repeat(".e,", 100000) + "]);", "larger than"},
	{"deep literal", "struct S { l @0 :List(S); }\nconst x :S = " + strings.Repeat("(l = [", 50000), "nested deeper"},
	{"deep brackets", "const x :Int8 = " + strings.Repeat("(", 500000), "nested deeper"},
	{"deep type", "const x :" + strings.Repeat("List(", 100000), "nested deeper"},
	{"deep path", "const x :A" + strings.Repeat(".A", 300000) + " = 1;", "more than 100 names"},
	{"deep struct", strings.Repeat("struct A { ", 90000), "nested deeper"},
	{"deep groups", "struct A { " + strings.Repeat("g :group { ", 90000), "nested deeper"},
	{"deep minus", "const x :Int8 = " + strings.Repeat("- ", 300000) + "1;", "expected a number"},
	{"long chain of constants", "const c0 :Int8 = 1;\n" + repeated(20000, "", "const cN :Int8 = .cM;\n") + "const x :Int8 = .c20000;", "more than 200 steps"},
	{"long chain of aliases", "using A0 = Int8;\n" + repeated(20000, "", "using AN = AM;\n") + "const x :A20000 = 1;", "more than 200 steps"},
	{"deep by reference", "struct S { n @0 :S; }\nconst c0 :S = ();\n" + repeated(150, "", "const cN :S = (n = .cM);\n") + "const x :S = .c150;", "nested deeper than 128"},
	{"doubling generics", "struct G(T, U) { t @0 :T; }\nstruct S(T) { using A0 = T;\n" + repeated(60, "", "using AN = G(AM, AM);\n") +
		"f @0 :A60; }\nstruct Z {}\nconst x :S(Z) = (f = ());", "more than 1000 others"},
	{"growing generics", "struct H(T, U) {}\nstruct G(T) { n @0 :G(H(T, T)); }\nstruct Z {}\nconst x :G(Z) = " + strings.Repeat("(n = ", 48) + "()" + strings.Repeat(")", 48) + ";", ""},
	{"doubling null structs", "struct A0 { a @0 :Int8; }\n" +
		repeated(60, "", "struct AN { f :union { a @0 :AM; b @1 :Void; } g :union { c @2 :AM; d @3 :Void; } }\n") + "const x :A60 = ();", ""},
	{"null struct in itself", "struct A { union { a @0 :A; b @1 :Void; } }\nconst x :A = ();", ""},
	{"cyclic default", "struct A { a @0 :A = (a = ()); b @1 :Int8; union { c @2 :A = (b = 1); d @3 :Void; } }\nconst x :A = ();", ""},
	{"many members", "struct A {\n" + repeated(30000, "a0 @0 :Void;\n", "aN @N :Void;\n") + "}\nconst x :A = (" + repeated(30000, "", "aN = void,") + ");", ""},
	{"wide union", "struct A { u :union {\n" + repeated(3000, "a0 @0 :Int8;\n", "gN :group { aN @N :Bool; }\n") + "} }\nconst x :A = ();", ""},
	{"many commas", "const x :List(Int8) = [" + strings.Repeat("1,", 400000) + "];", ""},
	{"too much source", "#" + strings.Repeat("x", 1<<20), "too large"},
	{"import of itself", "using X = import \"x.capnp\".X;\nconst x :X = 1;", "stands for itself"},
	{"constant of itself by import", "const x :Int8 = import \"x.capnp\".x;", "depends on itself"},
	{"device", "const x :Text = embed \"" + strings.Repeat("../", 30) + "dev/zero\";", "not a regular file"},
}

// TestAttacks wants a clear end of each within seconds and little memory.
func TestAttacks(t *testing.T) {
	for _, c := range attacks {
		t.Run(c.name, func(t *testing.T) {
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			started := time.Now()
			err := evaluate(t, c.source)
			took := time.Since(started)
			runtime.ReadMemStats(&after)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %.300v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %.300v, want %q", err, c.want)
			case err != nil && len(err.Error()) > 2000:
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
			if took > time.Minute {
				t.Errorf("took %v", took)
			}
			if grown := after.Sys - before.Sys; after.Sys > before.Sys && grown > 2<<30 {
				t.Errorf("took %d MiB", grown>>20)
			}
			t.Logf("%v, %d MiB allocated", took, (after.TotalAlloc-before.TotalAlloc)>>20)
			debug.FreeOSMemory()
		})
	}
}

// TestPipe embeds a pipe that nobody writes to, which must not wait.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"pipe": "not a regular file", "loop": "too many levels"} {
		for _, source := range []string{"const x :Text = embed %q;", "const x :import %q.X = 1;"} {
			path := filepath.Join(dir, "x.capnp")
			text := "@0xb1d2c3a4f5e60001;\n" + fmt.Sprintf(source, name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if e := mustFail(t, path); !strings.Contains(e.Msg, want) {
				t.Errorf("%s: %v", name, e)
			}
		}
	}
}

// TestEmbedLimits bounds one file, all files together, and files that are
// embedded again and again.
func TestEmbedLimits(t *testing.T) {
	dir := t.TempDir()
	for i, size := range []int{100, 101, 90, 90, 90, 90, 90} {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for names, want := range map[string]string{
		"0":                               "",
		"1":                               "2:24: cannot embed “1”: it is too large; 100 bytes",
		"0 2 3 4":                         "",
		"0 0 0 0 0 0 2 0 3 4":             "",
		"0 2 3 4 5":                       "2:68: cannot embed “5”: it is too large; 30 bytes",
		"2 3 4 5":                         "",
		"../" + filepath.Base(dir) + "/0": "",
	} {
		var list string
		for _, n := range strings.Fields(names) {
			list += fmt.Sprintf("embed %q, ", n)
		}
		path := filepath.Join(dir, "x.capnp")
		if err := os.WriteFile(path, []byte("@0xb1d2c3a4f5e60001;\nconst x :List(Data) = ["+list+"];"), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Load(path, Options{MaxFile: 100})
		if err == nil {
			_, err = f.Const("x")
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", names, err, want)
		}
	}
}
