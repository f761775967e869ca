package spktool_test

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sandstorm-go/sandstorm/internal/bridgeprogram"
	"github.com/sandstorm-go/sandstorm/internal/spktool"
)

// The scripts in testdata/script run spk as a packager does.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"spk": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		os.Exit(spktool.Report(os.Stderr, "spk", spktool.New("test").ExecuteContext(ctx)))
	}})
}

func TestScripts(t *testing.T) {
	bridge := filepath.Join(t.TempDir(), bridgeprogram.Name)
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", bridge, "../../cmd/"+bridgeprogram.Name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("TMPDIR", e.WorkDir+"/tmp")
			spk, err := exec.LookPath("spk")
			if err != nil {
				return err
			}
			// spk looks for the bridge beside itself. All scripts share it.
			if err := os.Link(bridge, filepath.Join(filepath.Dir(spk), bridgeprogram.Name)); err != nil && !os.IsExist(err) {
				return err
			}
			return os.Mkdir(e.WorkDir+"/tmp", 0o700)
		},
	})
}
