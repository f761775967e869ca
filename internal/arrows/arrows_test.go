// Package arrows checks that the packages depend on each other only in the
// directions that docs/architecture.md draws, that addresses which users choose
// are dialled in one place, and that processes are started in one place.
package arrows

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sandstorm-go/sandstorm"

// layer ranks the rooms: a package may import rooms of its own or a lower
// number, and of its own number only where peers lists it.
var layer = []struct {
	prefix string
	rank   int
}{
	{"cmd/", 9},
	{"internal/spktool", 8},
	{"internal/control", 8},
	{"internal/gateway", 7},
	{"internal/shell", 7},
	{"internal/app", 6},
	{"internal/grain", 6},
	{"internal/setup", 6},
	{"internal/login", 6},
	{"internal/account", 5},
	{"internal/settings", 5},
	{"internal/trial", 4},
	{"internal/mail", 4},
	{"internal/locale", 3},
	{"internal/netguard", 3},
	{"internal/notify", 3},
	{"internal/store", 3},
	{"internal/bridge", 3},
	{"internal/arrows", 0},
	{"internal/terminal", 0},
	{"internal/config", 3},
	{"internal/host/server", 3},
	{"internal/devfs", 3},
	{"internal/appindex", 3},
	{"internal/pkgdef", 2},
	{"internal/rootfs", 2},
	{"internal/scaffold", 2},
	{"internal/host/pkgstore", 2},
	{"internal/host/sandbox", 2},
	{"internal/host", 1},
	{"internal/spk", 1},
	{"internal/keyring", 1},
	{"internal/capnplang", 1},
	{"internal/bridgeprogram", 1},
	{"schema", 0},
	{"", 0}, // package sandstorm
}

// peers are the imports between rooms of one rank that are meant.
var peers = map[string]string{
	"internal/login":   "internal/setup",
	"internal/spktool": "internal/control",
	"internal/spk":     "schema",
	"internal/keyring": "internal/spk",
	"internal/store":   "internal/host",
	"internal/bridge":  "",
}

type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func load(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", module+"/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func room(path string) (prefix string, rank int, ok bool) {
	rel := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	for _, l := range layer {
		if l.prefix == "" && rel == "" || l.prefix != "" && (rel == strings.TrimSuffix(l.prefix, "/") || strings.HasPrefix(rel+"/", strings.TrimSuffix(l.prefix, "/")+"/")) {
			return l.prefix, l.rank, true
		}
	}
	return "", 0, false
}

func TestArrowsGoDown(t *testing.T) {
	for _, p := range load(t) {
		rel := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if isOutside(rel) {
			continue
		}
		from, rank, ok := room(p.ImportPath)
		if !ok {
			t.Errorf("%s is in no room: add it to the layers here and to docs/architecture.md", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if imp != module && !strings.HasPrefix(imp, module+"/") {
				continue
			}
			to, toRank, ok := room(imp)
			if !ok || toRank > rank || toRank == rank && to != from && to != "" && peers[from] != to {
				t.Errorf("%s must not import %s", p.ImportPath, imp)
			}
		}
	}
}

// isOutside are trees that use the product but are no part of it.
func isOutside(rel string) bool {
	for _, tree := range []string{"apps", "bench", "test"} {
		if rel == tree || strings.HasPrefix(rel, tree+"/") {
			return true
		}
	}
	return strings.HasSuffix(rel, "test") || strings.Contains(rel, "test/")
}

// calls that may occur only in the named rooms.
var confined = []struct {
	pkg   string
	names []string
	rooms []string
	why   string
}{
	{
		"net",
		[]string{"Dial", "DialTimeout", "DialTCP", "DialUDP", "LookupHost", "LookupIP"},
		[]string{"internal/netguard", "internal/host", "internal/host/sandbox"},
		"addresses that users choose are dialled by netguard only",
	},
	{
		"net/http",
		[]string{"Get", "Post", "PostForm", "Head", "DefaultClient"},
		[]string{"internal/netguard"},
		"addresses that users choose are dialled by netguard only",
	},
	{
		"os/exec",
		[]string{"Command", "CommandContext"},
		[]string{"internal/host", "internal/host/server", "internal/host/sandbox", "internal/rootfs"},
		"processes are started by the host only, and apt-get by rootfs",
	},
	{
		"os",
		[]string{"StartProcess"},
		[]string{"internal/host", "internal/host/server", "internal/host/sandbox"},
		"processes are started by the host only",
	},
}

func TestConfinedCalls(t *testing.T) {
	for _, p := range load(t) {
		rel := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if isOutside(rel) {
			continue
		}
		for _, name := range p.GoFiles {
			checkFile(t, rel, filepath.Join(p.Dir, name))
		}
	}
}

func checkFile(t *testing.T, rel, path string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	local := map[string]string{} // name in this file → import path
	for _, spec := range f.Imports {
		imp, _ := strconv.Unquote(spec.Path.Value)
		name := imp[strings.LastIndex(imp, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		local[name] = imp
	}
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		for _, c := range confined {
			if local[x.Name] == c.pkg && contains(c.names, sel.Sel.Name) && !contains(c.rooms, rel) {
				t.Errorf("%s: %s.%s: %s", fset.Position(n.Pos()), c.pkg, sel.Sel.Name, c.why)
			}
		}
		return true
	})
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// TestPackagesHaveComments: a newcomer learns from the first lines what belongs
// into a package.
func TestPackagesHaveComments(t *testing.T) {
	for _, p := range load(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		found := false
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			found = found || f.Doc != nil
		}
		if !found {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}
