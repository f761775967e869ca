package pkgdef_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// paths lists a tree, as "name", "name*" for programs' files is not told apart.
func paths(n *spk.Node, dir string) (out []string) {
	for _, c := range n.Children() {
		p := dir + c.Name
		if c.IsDir() {
			out = append(out, p+"/")
			out = append(out, paths(c, p+"/")...)
		} else {
			out = append(out, p)
		}
	}
	return out
}

func packed(t *testing.T, root *spk.Node) []byte {
	t.Helper()
	var out bytes.Buffer
	_, err := spk.Write(context.Background(), &out, ed25519.NewKeyFromSeed(make([]byte, 32)), root, spk.WriteOptions{})
	must(t, err)
	return out.Bytes()
}

func TestRoot(t *testing.T) {
	dir := files(t, map[string]string{
		"*src/bin/app": "#!", "src/lib/a/x": "1", "src/lib/a/y": "2", "src/lib/b": "3", "src/link": "-> lib", "src/more/deep/z": "",
		"files.list": "bin/app\nlib/a/x\nlink\nlib # the directory alone\n",
	})
	def := load(t, dir, `sourceMap = (searchPath = [(sourcePath = "src")]), fileList = "files.list", alwaysInclude = ["more"]`)
	tree := def.Tree(pkgdef.TreeOptions{Bridge: []byte("b")})
	root, err := def.Root(tree, pkgdef.RootOptions{Used: []string{"lib/b"}})
	must(t, err)
	packed(t, root) // sorts
	want := "bin/ bin/app dev/ lib/ lib/a/ lib/a/x lib/b link more/ more/deep/ more/deep/z proc/ proc/cpuinfo sandstorm-http-bridge sandstorm-http-bridge-config sandstorm-manifest tmp/ var/"
	if got := strings.Join(paths(root, ""), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEverything(t *testing.T) {
	dir := files(t, map[string]string{"src/app": "", "src/var/lib/x": "the grain's", "src/d/e": ""})
	must(t, unix.Mkfifo(filepath.Join(dir, "src/pipe"), 0o600))
	def := load(t, dir, `sourceMap = (searchPath = [(sourcePath = "src")]), alwaysInclude = ["."], bridgeConfig = ()`)
	var warnings, picked []string
	root, err := def.Root(def.Tree(pkgdef.TreeOptions{Bridge: []byte("b")}), pkgdef.RootOptions{
		Warn: func(s string) { warnings = append(warnings, s) }, Picked: func(s string) { picked = append(picked, s) },
	})
	must(t, err)
	packed(t, root)
	want := "app d/ d/e dev/ pipe proc/ proc/cpuinfo sandstorm-http-bridge sandstorm-http-bridge-config sandstorm-manifest tmp/ var/"
	if got := strings.Join(paths(root, ""), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "pipe") {
		t.Errorf("%q", warnings)
	}
	if len(picked) != 4 {
		t.Errorf("picked %q", picked)
	}
}

func TestRootErrors(t *testing.T) {
	dir := files(t, map[string]string{
		"src/app": "", "src/lib/x": "", "src/link": "-> lib", "gone.list": "app\n\nnot/there\n", "below.list": "link\nlink/x\n",
	})
	for members, want := range map[string]string{
		`fileList = "gone.list"`:                       "gone.list:3: No file found to satisfy requirement: not/there",
		`fileList = "below.list"`:                      `below.list:2: "link/x" is listed, but "link" is a symlink`,
		`alwaysInclude = ["nope"]`:                     "alwaysInclude: No file found to satisfy requirement: nope",
		`alwaysInclude = ["/app"]`:                     "starts with a slash",
		`fileList = "missing.list"`:                    "spk dev",
		`alwaysInclude = []`:                           "neither fileList nor alwaysInclude",
		`fileList = "gone.list", alwaysInclude = [""]`: "gone.list",
	} {
		def := load(t, dir, `sourceMap = (searchPath = [(sourcePath = "src")]), `+members)
		_, err := def.Root(def.Tree(pkgdef.TreeOptions{}), pkgdef.RootOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", members, err, want)
		}
	}
}

// Equal files make equal packages, whenever they were written.
func TestReproducible(t *testing.T) {
	epoch := time.Unix(1_700_000_000, 0)
	var made [][]byte
	for i := range 2 {
		dir := files(t, map[string]string{"*src/app": "x", "src/d/one": "1", "src/d/two": "2"})
		when := epoch.Add(time.Duration(i+1) * time.Hour)
		must(t, os.Chtimes(filepath.Join(dir, "src/d/one"), when, when))
		old := time.Unix(1_600_000_000, 0)
		must(t, os.Chtimes(filepath.Join(dir, "src/d/two"), old, old))
		def := load(t, dir, `sourceMap = (searchPath = [(packagePath = "opt/app", sourcePath = "src")]), alwaysInclude = ["."]`)
		root, err := def.Root(def.Tree(pkgdef.TreeOptions{}), pkgdef.RootOptions{NotAfter: epoch})
		must(t, err)
		made = append(made, packed(t, root))
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("two packages of the same files differ")
	}
}

// An app of the raw API gets the bridge only if its list names it.
func TestRawApp(t *testing.T) {
	dir := files(t, map[string]string{"src/app": "", "named.list": "app\nsandstorm-http-bridge\nsandstorm-http-bridge-config\n"})
	const common = `sourceMap = (searchPath = [(sourcePath = "src")]), `
	for members, want := range map[string]string{
		`alwaysInclude = ["."]`:   "app dev/ proc/ proc/cpuinfo sandstorm-manifest tmp/ var/",
		`fileList = "named.list"`: "app dev/ proc/ proc/cpuinfo sandstorm-http-bridge sandstorm-http-bridge-config sandstorm-manifest tmp/ var/",
	} {
		path := definition(t, dir, common+members)
		text, err := os.ReadFile(path)
		must(t, err)
		must(t, os.WriteFile(path, bytes.Replace(text, []byte(`"/sandstorm-http-bridge", "8000", "--", `), nil, 1), 0o644))
		def, err := pkgdef.Load(path, pkgdef.Options{})
		must(t, err)
		root, err := def.Root(def.Tree(pkgdef.TreeOptions{Bridge: []byte("b")}), pkgdef.RootOptions{})
		must(t, err)
		packed(t, root)
		if got := strings.Join(paths(root, ""), " "); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", members, got, want)
		}
	}
}

// TestNoKeyInPackage: a package that holds all of a folder does not hold the key
// to the app, whatever its file is called; nor can the app read it while it is
// developed.
func TestNoKeyInPackage(t *testing.T) {
	dir := files(t, map[string]string{
		"src/app": "", "src/.sandstorm-keyring": "1", "src/.sandstorm/sandstorm-keyring": "2", "src/sandstorm-keyring": "not one", "src/keys/mine": "3",
		"list": "keys/mine\n", "keys": "-> src/keys",
	})
	must(t, os.Link(filepath.Join(dir, "src/keys/mine"), filepath.Join(dir, "src/other-name")))
	def := load(t, dir, `sourceMap = (searchPath = [(sourcePath = "src")]), alwaysInclude = ["."]`)
	tree := def.Tree(pkgdef.TreeOptions{Keyring: filepath.Join(dir, "keys/mine")})
	root, err := def.Root(tree, pkgdef.RootOptions{})
	must(t, err)
	got := strings.Join(paths(root, ""), " ")
	if strings.Contains(got, ".sandstorm-keyring") || strings.Contains(got, ".sandstorm/s") || strings.Contains(got, "mine") || strings.Contains(got, "other") {
		t.Error(got)
	}
	if !strings.Contains(got, "sandstorm-keyring") || !strings.Contains(got, "app") {
		t.Error(got)
	}
	def.FileList = filepath.Join(dir, "list")
	if _, err := def.Root(tree, pkgdef.RootOptions{}); err == nil || !strings.Contains(err.Error(), "keys/mine") {
		t.Error(err)
	}
}

// TestRootIsBounded: whatever "." turns out to be, packing ends before the memory.
func TestRootIsBounded(t *testing.T) {
	content := map[string]string{"list": ".\n"}
	for i := range 50 {
		content[fmt.Sprintf("src/d/%d", i)] = ""
	}
	dir := files(t, content)
	def := load(t, dir, `sourceMap = (searchPath = [(sourcePath = "src")]), alwaysInclude = ["."]`)
	tree := def.Tree(pkgdef.TreeOptions{})
	if _, err := def.Root(tree, pkgdef.RootOptions{}.WithMaxNodes(30)); err == nil || !strings.Contains(err.Error(), "hidePaths") {
		t.Error(err)
	}
	// In a list, a directory is only itself.
	def.AlwaysInclude, def.FileList = nil, filepath.Join(dir, "list")
	root, err := def.Root(tree, pkgdef.RootOptions{})
	must(t, err)
	if root.Child("d") != nil {
		t.Errorf("%q", paths(root, ""))
	}
}

// TestSymlinkAndBelow: a list that names a symlink and something below it fails,
// in whatever order they stand (packages.md §5).
func TestSymlinkAndBelow(t *testing.T) {
	dir := files(t, map[string]string{"src/real/x": "", "src/link": "-> real", "one": "link\nlink/x\n", "two": "link/x\nlink\n", "fine": "link\nreal/x\n"})
	def := load(t, dir, `sourceMap = (searchPath = [(sourcePath = "src")])`)
	tree := def.Tree(pkgdef.TreeOptions{})
	for list, fails := range map[string]bool{"one": true, "two": true, "fine": false} {
		def.FileList = filepath.Join(dir, list)
		_, err := def.Root(tree, pkgdef.RootOptions{})
		if (err != nil) != fails || fails && !strings.Contains(err.Error(), list+":2:") {
			t.Errorf("%s: %v", list, err)
		}
	}
}
