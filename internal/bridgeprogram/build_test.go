package bridgeprogram

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// buildFlags are those of the Makefile's rule for the bridge.
var buildFlags = []string{"build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w -buildid="}

// The same sources in two directories give the same bytes.
func TestBuildIsReproducible(t *testing.T) {
	elsewhere := t.TempDir()
	copied := filepath.Join(elsewhere, "cmd", Name)
	if err := os.CopyFS(copied, os.DirFS("../../cmd/"+Name)); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	// It needs no module besides the standard library.
	head, _, _ := bytes.Cut(mod, []byte("require"))
	if err := os.WriteFile(filepath.Join(elsewhere, "go.mod"), head, 0o644); err != nil {
		t.Fatal(err)
	}
	build := func(dir string) []byte {
		out := filepath.Join(t.TempDir(), "out")
		cmd := exec.Command("go", append(buildFlags, "-o", out, ".")...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOAMD64=v1", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one, two := build("../../cmd/"+Name), build(copied)
	if !bytes.Equal(one, two) {
		t.Errorf("%d and %d bytes differ", len(one), len(two))
	}
	f, err := elf.NewFile(bytes.NewReader(one))
	if err != nil {
		t.Fatal(err)
	}
	if libs, _ := f.ImportedLibraries(); len(libs) != 0 || f.Machine != elf.EM_X86_64 || f.Section(".interp") != nil {
		t.Errorf("not a static program for amd64: %v, %v", f.Machine, libs)
	}
}
