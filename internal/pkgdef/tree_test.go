package pkgdef_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
)

// mapped is a tree over two directories: the first wins, directories merge.
func mapped(t *testing.T) (*pkgdef.Tree, string) {
	dir := files(t, map[string]string{
		"a/both": "from a", "a/dir/one": "1", "a/file": "a file", "a/hidden/x": "", "a/hide-not": "",
		"b/both": "from b", "b/dir/two": "2", "b/dir/one": "other", "b/file/deep": "not seen", "b/hidden/x": "b's",
		"b/var/lib/data": "never", "b/dev/null": "never", "b/proc/version": "plain", "b/link": "-> dir/two",
		"icon": "one file", "real/inside": "", "alias": "-> real",
	})
	def := load(t, dir, `sourceMap = (searchPath = [
	(sourcePath = "a", hidePaths = ["hidden", "/dir/none"]),
	(sourcePath = "b"),
	(packagePath = "usr/share/icon", sourcePath = "icon"),
	(packagePath = "opt/app", sourcePath = "alias"),
  ]), alwaysInclude = ["."]`)
	return def.Tree(pkgdef.TreeOptions{Bridge: []byte("bridge")}), dir
}

func TestResolve(t *testing.T) {
	tree, dir := mapped(t)
	for path, want := range map[string]string{
		"both": "a/both", "dir/one": "a/dir/one", "dir/two": "b/dir/two", "file": "a/file", "dir": "a/dir",
		"hidden/x": "b/hidden/x", "hide-not": "a/hide-not", "link": "b/link",
		"usr/share/icon": "icon", "opt/app": "alias", "opt/app/inside": "alias/inside", "proc/version": "b/proc/version",
	} {
		e, err := tree.Resolve(path)
		if err != nil || e.Source != filepath.Join(dir, want) {
			t.Errorf("%s: %+v, %v; want %s", path, e, err, want)
		}
	}
	for _, path := range []string{"var/lib/data", "dev/null", "gone", "file/deep", "usr/share/none", "link/x"} {
		if e, err := tree.Resolve(path); !errors.Is(err, fs.ErrNotExist) && !(path == "file/deep" && err == nil) {
			t.Errorf("%s: %+v, %v; want nothing", path, e, err)
		}
	}
	for _, path := range []string{"", "usr", "usr/share", "opt", "var", "dev", "tmp", "proc"} {
		if e, err := tree.Resolve(path); err != nil || !e.Dir && e.Source == "" {
			t.Errorf("%q: %+v, %v; want a directory", path, e, err)
		}
	}
	for path, want := range map[string]string{"sandstorm-http-bridge": "bridge", "proc/cpuinfo": ""} {
		if e, err := tree.Resolve(path); err != nil || string(e.Content) != want || e.Source != "" {
			t.Errorf("%s: %+v, %v", path, e, err)
		}
	}
}

func TestNames(t *testing.T) {
	tree, _ := mapped(t)
	for dir, want := range map[string]string{
		"":    "both dev dir file hidden hide-not link opt proc sandstorm-http-bridge sandstorm-http-bridge-config sandstorm-manifest tmp usr var",
		"dir": "one two", "usr": "share", "usr/share": "icon", "opt": "app", "opt/app": "inside",
		"var": "", "dev": "", "proc": "cpuinfo version",
	} {
		got, err := tree.Names(dir)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v; want %q", dir, got, err, want)
		}
	}
	for _, dir := range []string{"gone", "both", "usr/gone"} {
		if got, err := tree.Names(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %q, %v; want nothing", dir, got, err)
		}
	}
}
