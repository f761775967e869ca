package server_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// Actions of the test package.
const (
	actServe = iota
	actExit
	actCrash
	actMissing
	actRaw
	actSleep
	actNotInPath
)

// testPackage makes the package once for all tests.
var testPackage = sync.OnceValues(func() ([]byte, error) {
	if path := os.Getenv(envSPK); path != "" {
		return os.ReadFile(path)
	}
	dir, err := os.MkdirTemp("", "host-test")
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
	app, err := os.ReadFile(bin)
	if err != nil {
		return nil, err
	}
	return pack(app)
})

func pack(app []byte) ([]byte, error) { return packMore(app, 1, nil) }

// packMore packs the app with further files, or without it if app is nil, as a
// package of a mounted app is.
func packMore(app []byte, version uint32, more map[string]string) ([]byte, error) {
	bridge := func(argv ...string) sandstorm.Command {
		return sandstorm.Command{
			Argv:    append([]string{"/sandstorm-http-bridge", "8000", "--"}, argv...),
			Environ: []string{"PATH=/nope:/bin"},
		}
	}
	m := &sandstorm.Manifest{AppTitle: sandstorm.LocalizedText{Default: "Test"}, AppVersion: version}
	for i, c := range []sandstorm.Command{
		actServe:     bridge("app", "serve", "8000"),
		actExit:      bridge("app", "exit", "7"),
		actCrash:     bridge("/bin/app", "crash"),
		actMissing:   bridge("/bin/missing"),
		actRaw:       {Argv: []string{"/bin/app", "serve", "8000"}},
		actSleep:     bridge("app", "sleep"),
		actNotInPath: bridge("missing"),
	} {
		m.Actions = append(m.Actions, sandstorm.Action{Index: i, NounPhrase: sandstorm.LocalizedText{Default: "thing"}, Command: c})
	}
	manifest, err := spk.BuildManifest(m, nil)
	if err != nil {
		return nil, err
	}
	root := spk.NewDirectory("")
	root.Put(spk.NewFile(spk.ManifestName, manifest, false))
	for name, content := range more {
		root.Put(spk.NewFile(name, []byte(content), false))
	}
	if app != nil {
		if err := root.PutAt("bin", spk.NewFile("app", app, true)); err != nil {
			return nil, err
		}
		if err := root.AddMountPoints(); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	_, err = spk.Write(context.Background(), &out, key, root, spk.WriteOptions{Store: true})
	return out.Bytes(), err
}
