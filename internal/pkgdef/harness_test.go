package pkgdef_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
)

// appID is that of packages.md §2's test vector.
const appID = "0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0"

// files makes files below a fresh directory: "name" with a trailing slash is a
// directory, "name -> target" a symlink, and a name that starts with "*" is
// executable.
func files(t testing.TB, list map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range list {
		mode := os.FileMode(0o644)
		if rest, ok := strings.CutPrefix(name, "*"); ok {
			name, mode = rest, 0o755
		}
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(path, 0o755))
			continue
		}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			must(t, os.Symlink(target, path))
			continue
		}
		must(t, os.WriteFile(path, []byte(content), mode))
	}
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// definition writes a definition with these members besides id and manifest and
// returns its path.
func definition(t testing.TB, dir, members string) string {
	t.Helper()
	return write(t, dir, fmt.Sprintf(`id = "%s",
  manifest = (
    appTitle = (defaultText = "Test"), appMarketingVersion = (defaultText = "1"),
    actions = [(title = (defaultText = "New test"), command = .start)], continueCommand = .start,
  ),
  %s`, appID, members))
}

func write(t testing.TB, dir, members string) string {
	t.Helper()
	path := filepath.Join(dir, "sandstorm-pkgdef.capnp")
	text := `@0xb0429f9140e38e34;
using Spk = import "/sandstorm/package.capnp";
const pkgdef :Spk.PackageDefinition = (
  ` + members + `
);
const start :Spk.Manifest.Command = (argv = ["/sandstorm-http-bridge", "8000", "--", "/app"]);
`
	must(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// load loads a definition that is right.
func load(t testing.TB, dir, members string) *pkgdef.Definition {
	t.Helper()
	def, err := pkgdef.Load(definition(t, dir, members), pkgdef.Options{})
	must(t, err)
	return def
}
