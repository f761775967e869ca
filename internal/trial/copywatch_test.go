package trial_test

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/spk"
	"github.com/sandstorm-go/sandstorm/internal/trial"
)

// copied is a package with all its files.
func copied(t *testing.T, argv ...string) io.Reader {
	t.Helper()
	app, err := testApp()
	must(t, err)
	root := spk.NewDirectory("")
	must(t, root.AddMountPoints())
	root.Put(spk.NewFile("app", app, true))
	for dir, files := range map[string][]string{
		"www/home": {"index.html", "unused.html"}, "data": {"first", "continued", "unused"}, "deep/er": {"marker"},
	} {
		for _, name := range files {
			content := []byte("<p>" + name)
			if name == "marker" {
				content = nil
			}
			must(t, root.PutAt(dir, spk.NewFile(name, content, false)))
		}
	}
	root.Put(spk.NewSymlink("link", "www"))
	return packFiles(t, root, append([]string{"/sandstorm-http-bridge", "8000", "--"}, argv...)...)
}

// TestCopy: without FUSE it is seen as well which files are opened.
func TestCopy(t *testing.T) {
	result, err := run(t, trial.Options{Package: copied(t, "/app", "serve", "8000")})
	must(t, err)
	for path, want := range map[string]bool{
		"app": true, "data/first": true, "data/continued": true, "data/unused": false,
		"www/home/index.html": true, "www/home/unused.html": false, "link": true, "deep/er/marker": true,
		"": false, ".": false,
	} {
		if got := slices.Contains(result.Used, path); got != want {
			t.Errorf("%q is used: %v, want %v: %q", path, got, want, result.Used)
		}
	}
	if !slices.IsSorted(result.Used) {
		t.Errorf("not sorted: %q", result.Used)
	}
}

func TestCopyFailures(t *testing.T) {
	for reason, argv := range map[trial.Reason][]string{
		trial.NoProgram: {"/missing"}, trial.Ended: {"/app", "exit", "1"},
	} {
		_, err := run(t, trial.Options{Package: copied(t, argv...), Timeout: 2 * time.Second})
		if !errors.Is(err, &trial.Failure{Reason: reason}) {
			t.Errorf("%q: error is %v", argv, err)
		}
	}
}
