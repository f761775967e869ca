package capnplang

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/schema"
)

var update = flag.Bool("update", false, "write the golden files")

const corpusDir = "testdata/corpus"

// corpusOptions also resolve what the tool finds through -I.
func corpusOptions() Options {
	return Options{ImportPath: []string{corpusDir + "/path"}, Builtin: schema.Files}
}

// runTool evaluates a constant of the corpus with the reference tool.
func runTool(t *testing.T, file, constant, format string) (out []byte, talk string) {
	t.Helper()
	cmd := exec.Command("capnp", "eval", "-Ipath", "-I../../../../schema", "-I../../builtin",
		"--output="+format, file, constant)
	var err error
	if cmd.Dir, err = filepath.Abs(corpusDir); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && stderr.Len() == 0 {
		t.Fatal(err)
	}
	return stdout.Bytes(), stderr.String()
}

// canonical has the tool bring a message to its one canonical form, which also
// finds malformed ones.
func canonical(t *testing.T, message []byte) []byte {
	t.Helper()
	cmd := exec.Command("capnp", "convert", "binary:canonical")
	cmd.Stdin = bytes.NewReader(message)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("convert: %v\n%s", err, stderr.Bytes())
	}
	return out
}

func corpusFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(corpusDir + "/*.capnp")
	if err != nil || len(files) < 20 {
		t.Fatalf("the corpus is missing: %v, %v", files, err)
	}
	return files
}

// TestCorpus evaluates each constant of each file, compares it with the golden
// file, and, if it is a struct, with what the reference tool makes of it.
func TestCorpus(t *testing.T) {
	for _, path := range corpusFiles(t) {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			f, err := Load(path, corpusOptions())
			if err != nil {
				t.Fatal(err)
			}
			var golden bytes.Buffer
			for _, constant := range f.root.constNames() {
				v, err := f.Const(constant)
				if err != nil {
					t.Fatalf("%s: %v", constant, err)
				}
				text, err := v.JSON()
				if err != nil {
					t.Fatalf("%s: %v", constant, err)
				}
				golden.WriteString(constant + " = ")
				golden.Write(text)
				if v.typ.kind == kindStruct && !strings.HasPrefix(name, "beyond-") {
					compareWithTool(t, name, constant, v, text)
				}
			}
			checkGolden(t, strings.TrimSuffix(path, ".capnp")+".golden", golden.Bytes())
		})
	}
}

func checkGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

func compareWithTool(t *testing.T, file, constant string, v *Value, text []byte) {
	t.Helper()
	message, err := v.Message()
	if err != nil {
		t.Fatalf("%s: %v", constant, err)
	}
	want, talk := runTool(t, file, constant, "canonical")
	if talk != "" {
		t.Fatalf("%s: the tool says: %s", constant, talk)
	}
	if got := canonical(t, message); !bytes.Equal(got, want) {
		t.Errorf("%s: message is\n%x\nthe tool makes\n%x", constant, got, want)
	}
	wantText, talk := runTool(t, file, constant, "json")
	if strings.Contains(talk, "AnyPointer") {
		if !strings.Contains(string(text), `"value"`) && !strings.Contains(string(text), `"a"`) {
			t.Errorf("%s: the AnyPointer is missing:\n%s", constant, text)
		}
		return // which the tool cannot show
	}
	if talk != "" {
		t.Fatalf("%s: the tool says: %s", constant, talk)
	}
	if !sameJSON(t, text, wantText) {
		t.Errorf("%s: JSON is\n%s\nthe tool makes\n%s", constant, text, wantText)
	}
}

// sameJSON compares values; numbers as they are after parsing.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatalf("%v in\n%s", err, a)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	return reflect.DeepEqual(x, y)
}

// TestConst names constants inside of types, and asks for types.
func TestConst(t *testing.T) {
	for _, c := range []struct {
		file, name string
		id         uint64
	}{
		{"definition.capnp", "pkgdef", 0x9f149fa71489be0b},
		{"definition.capnp", "newLog", 0x8b5db772377be249},
		{"definition.capnp", "environ", 0}, // a list
		{"constants.capnp", "Holder.own", 0},
		{"constants.capnp", "Outer.Middle.deepest", 0},
		{"constants.capnp", "Holder.Face.inFace", 0},
	} {
		f, err := Load(corpusDir+"/"+c.file, corpusOptions())
		if err != nil {
			t.Fatal(err)
		}
		v, err := f.Const(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if v.TypeID() != c.id {
			t.Errorf("%s: type %#x, want %#x", c.name, v.TypeID(), c.id)
		}
		if _, err := v.Message(); (err == nil) != (c.id != 0) {
			t.Errorf("%s: message: %v", c.name, err)
		}
	}
}
