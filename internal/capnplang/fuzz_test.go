package capnplang

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm/schema"
)

// loadText loads a source that finds only built-in schemas and the given files.
func loadText(text string, files fstest.MapFS) (*File, *Error) {
	l := newLoader(Options{Builtin: schema.Files, MaxFile: 1 << 20})
	src := &source{name: "fuzz.capnp", text: text, fsys: files, path: "fuzz.capnp", id: "builtin:fuzz.capnp"}
	l.main = src
	l.maxWords, l.maxJSON = 1<<14, 1<<20 // small, so that the fuzzer gets through many inputs
	root, err := l.add(src)
	if err != nil {
		return nil, err
	}
	return &File{loader: l, root: root}, nil
}

// checkPlace wants the place of an error to be in the file, if that is the
// fuzzed one.
func checkPlace(t *testing.T, e *Error, text string) {
	t.Helper()
	lines := strings.Split(text, "\n")
	if e.Msg == "" || e.File == "" || e.Line < 1 || e.Column < 1 {
		t.Fatalf("no place or message: %#v", e)
	}
	if e.File == "fuzz.capnp" && (e.Line > len(lines) || e.Column > len(lines[e.Line-1])+1) {
		t.Fatalf("%v is not in the file", e)
	}
}

// checkValue wants what comes out of a value to be well-formed.
func checkValue(t *testing.T, v *Value) {
	t.Helper()
	text, err := v.JSON()
	if err == nil && !json.Valid(text) {
		t.Fatalf("not JSON: %s", text)
	}
	if v.TypeID() == 0 {
		return
	}
	message, err := v.Message()
	if err != nil {
		return // a default may be wrong, which shows only now
	}
	if int64(len(message)) > 16+8*v.loader.maxWords {
		t.Fatalf("%d bytes of message", len(message))
	}
	msg, err := capnp.Unmarshal(message)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := msg.Root(); err != nil {
		t.Fatal(err)
	}
	reader := &rawReader{left: 2 * maxWords}
	if _, err := reader.message(string(message)); err != nil {
		t.Fatalf("our own message: %v", err)
	}
}

func FuzzSource(f *testing.F) {
	for _, c := range badSources {
		f.Add(errorsHead + c.source)
	}
	entries, err := os.ReadDir(corpusDir)
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		if text, err := os.ReadFile(corpusDir + "/" + e.Name()); err == nil && strings.HasSuffix(e.Name(), ".capnp") {
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := loadText(text, fstest.MapFS{"files/note.txt": {Data: []byte("note")}})
		if err != nil {
			checkPlace(t, err, text)
			return
		}
		eachStruct(file.root, func(d *decl) {
			if _, err := file.loader.structOf(d); err != nil {
				checkPlace(t, err, text)
			}
		})
		for _, name := range file.root.constNames() {
			v, err := file.Const(name)
			if err != nil {
				checkPlace(t, err.(*Error), text)
				continue
			}
			checkValue(t, v)
		}
	})
}

func FuzzMessage(f *testing.F) {
	file, bad := loadText(embedSchema, nil)
	if bad != nil {
		f.Fatal(bad)
	}
	v, err := file.Const("source")
	if err != nil {
		f.Fatal(err)
	}
	message, err := v.Message()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(message)
	f.Add(words(2<<32, 2|1<<3, 0))
	f.Add(words(1<<32|1, 1<<32|1, 2|1<<32, 2))
	f.Fuzz(func(t *testing.T, message []byte) {
		file, bad := loadText(embedSchema+`const x :S = embed "m";`, fstest.MapFS{"m": {Data: message}})
		if bad != nil {
			t.Fatal(bad)
		}
		v, err := file.Const("x")
		if err != nil {
			return
		}
		checkValue(t, v)
		text, err := v.JSON()
		if err != nil {
			return // too large
		}
		again, err := v.Message()
		if err != nil {
			t.Fatal(err)
		}
		copied, bad := loadText(embedSchema+`const x :S = embed "m";`, fstest.MapFS{"m": {Data: again}})
		if bad != nil {
			t.Fatal(bad)
		}
		if v, err = copied.Const("x"); err != nil {
			t.Fatalf("the copy: %v", err)
		}
		if same, err := v.JSON(); err != nil || string(same) != string(text) {
			t.Fatalf("the copy is\n%s\nnot\n%s", same, text)
		}
	})
}

// BenchmarkDefinition evaluates a definition with everything read anew, as a
// command does that runs once.
func BenchmarkDefinition(b *testing.B) {
	for b.Loop() {
		f, err := Load(corpusDir+"/definition.capnp", Options{Builtin: schema.Files})
		if err != nil {
			b.Fatal(err)
		}
		v, err := f.Const("pkgdef")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := v.Message(); err != nil {
			b.Fatal(err)
		}
		if _, err := v.JSON(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSchemas parses and lays out all that the nine schemas declare.
func BenchmarkSchemas(b *testing.B) {
	for b.Loop() {
		l := newLoader(Options{Builtin: schema.Files})
		entries, err := schema.Files.ReadDir("sandstorm")
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range entries {
			text, err := schema.Files.ReadFile("sandstorm/" + e.Name())
			if err != nil {
				b.Fatal(err)
			}
			root, bad := l.add(&source{name: e.Name(), text: string(text), fsys: schema.Files, path: "sandstorm/" + e.Name(), id: "builtin:sandstorm/" + e.Name()})
			if bad != nil {
				b.Fatal(bad)
			}
			eachStruct(root, func(d *decl) {
				if _, err := l.structOf(d); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
