package trial_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/devfs"
	"github.com/sandstorm-go/sandstorm/internal/spk"
	"github.com/sandstorm-go/sandstorm/internal/trial"
)

func TestMain(m *testing.M) {
	if trial.Main() {
		return
	}
	becomeUser()
	os.Exit(m.Run())
}

// testApp is the program of testdata/app.
var testApp = sync.OnceValues(func() ([]byte, error) {
	if path := os.Getenv(envApp); path != "" {
		return os.ReadFile(path)
	}
	dir, err := os.MkdirTemp("", "trial-test")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "app")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "./testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(bin)
})

// pack makes the package of a command behind the bridge.
func pack(t testing.TB, argv ...string) *bytes.Buffer {
	t.Helper()
	return packCommand(t, append([]string{"/sandstorm-http-bridge", "8000", "--"}, argv...)...)
}

func packCommand(t testing.TB, argv ...string) *bytes.Buffer {
	t.Helper()
	return packFiles(t, spk.NewDirectory(""), argv...)
}

// packFiles adds to root what describes the package.
func packFiles(t testing.TB, root *spk.Node, argv ...string) *bytes.Buffer {
	t.Helper()
	command := sandstorm.Command{Argv: argv, Environ: []string{"PATH=/usr/bin:/bin", "HOME=/var"}}
	manifest, err := spk.BuildManifest(&sandstorm.Manifest{
		AppTitle: sandstorm.LocalizedText{Default: "Test"}, AppVersion: 1,
		Actions:  []sandstorm.Action{{NounPhrase: sandstorm.LocalizedText{Default: "thing"}, Command: command}},
		Continue: &command,
	}, nil)
	must(t, err)
	config, err := spk.BuildBridgeConfig(&sandstorm.BridgeConfig{Permissions: []sandstorm.PermissionDef{
		{Name: "admin"}, {Name: "old", Obsolete: true}, {Name: "edit"},
	}})
	must(t, err)
	root.Put(spk.NewFile(spk.ManifestName, manifest, false))
	root.Put(spk.NewFile(spk.BridgeConfigName, config, false))
	out := new(bytes.Buffer)
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	_, err = spk.Write(context.Background(), out, key, root, spk.WriteOptions{Store: true})
	must(t, err)
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tree shows files that are given, and below them a directory of this machine.
type tree struct {
	files map[string]*devfs.Entry
	below string // empty: nothing
	hide  []string
}

// newTree has what every package has, the test app, and text files.
func newTree(t testing.TB, text map[string]string) *tree {
	t.Helper()
	app, err := testApp()
	must(t, err)
	tr := &tree{files: map[string]*devfs.Entry{
		"": {Dir: true}, "dev": {Dir: true}, "tmp": {Dir: true}, "var": {Dir: true},
		"proc": {Dir: true}, "proc/cpuinfo": {}, "app": {Content: app, Exec: true},
	}}
	for path, content := range text {
		tr.files[path] = &devfs.Entry{Content: []byte(content)}
		for dir := filepath.Dir(path); dir != "."; dir = filepath.Dir(dir) {
			tr.files[dir] = &devfs.Entry{Dir: true}
		}
	}
	return tr
}

func (d *tree) Resolve(path string) (*devfs.Entry, error) {
	if e := d.files[path]; e != nil {
		return e, nil
	}
	for _, hidden := range d.hide {
		if path == hidden || strings.HasPrefix(path, hidden+"/") {
			return nil, fs.ErrNotExist
		}
	}
	if d.below == "" {
		return nil, fs.ErrNotExist
	}
	e := &devfs.Entry{Source: filepath.Join(d.below, path), Root: d.below}
	_, err := os.Lstat(e.Source)
	return e, err
}

func (d *tree) Names(dir string) ([]string, error) {
	var names []string
	for path := range d.files {
		in, base := filepath.Split(path)
		if path != "" && strings.TrimSuffix(in, "/") == dir {
			names = append(names, base)
		}
	}
	return names, nil
}
