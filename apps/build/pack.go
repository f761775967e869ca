package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// definitionFile describes an app, in the app's folder.
const definitionFile = "sandstorm-pkgdef.capnp"

// packed is the latest time that a file of our packages bears, in seconds since
// 1970, so that equal inputs make equal packages.
const packed = "1793491200"

// storeVariable, if set, makes packages without compression, for who works on an
// app: most of the time goes into compressing Node.
const storeVariable = "APPS_STORE"

// made is a package that lies in the output directory.
type made struct {
	file  string
	size  int64
	fresh bool // it was built just now
}

// build makes one package, unless the one that is there was made of the same.
func (b *builder) build(ctx context.Context, name string, force bool) (*made, error) {
	if !filepath.IsLocal(name) || strings.ContainsRune(name, '/') {
		return nil, errors.New("this is no app's name")
	}
	if _, err := os.Stat(filepath.Join(b.appDir(name), definitionFile)); err != nil {
		return nil, fmt.Errorf("this is no app: %w", err)
	}
	file := filepath.Join(b.out, name+".spk")
	stamp := filepath.Join(b.work, "stamps", name)
	inputs, err := b.inputs(ctx, name)
	if err != nil {
		return nil, err
	}
	result := &made{file: file}
	if force || !stampSays(stamp, inputs, file) {
		result.fresh = true
		if err := b.stage(ctx, name); err != nil {
			return nil, err
		}
		args := []string{"pack", "--pkg-def", definitionFile, "--keyring", filepath.Join(b.repo, "apps", "keys", "development.keyring"), file}
		if os.Getenv(storeVariable) != "" {
			args = append(args, "--store")
		}
		if err := b.run(ctx, b.appDir(name), b.tool("spk"), args...); err != nil {
			return nil, err
		}
		if err := writeStamp(stamp, inputs, file); err != nil {
			return nil, err
		}
	}
	info, err := os.Stat(file)
	if err == nil {
		result.size = info.Size()
	}
	return result, err
}

// stage lets the app's script fill a fresh directory with what will be the
// package's root.
func (b *builder) stage(ctx context.Context, name string) error {
	stage, pool, work := b.stageDir(name), filepath.Join(b.work, "pool", name), filepath.Join(b.work, "cache", name)
	for _, dir := range []string{stage, pool} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	for _, dir := range []string{stage, work, filepath.Dir(pool)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return b.run(ctx, b.appDir(name), "sh", "-eu", "build.sh", "STAGE="+stage, "POOL="+pool, "WORK="+work)
}

// run runs a program in dir, with the tools in its PATH; arguments behind its
// own of the form NAME=VALUE are its environment. What it says is shown only if
// it fails.
func (b *builder) run(ctx context.Context, dir, program string, args ...string) error {
	env := append(os.Environ(), "PATH="+filepath.Dir(b.tool("spk"))+":"+os.Getenv("PATH"), "LC_ALL=C", "SOURCE_DATE_EPOCH="+packed)
	for len(args) > 0 && strings.Contains(args[len(args)-1], "=") {
		env = append(env, args[len(args)-1])
		args = args[:len(args)-1]
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return nil
}

func (b *builder) appDir(name string) string   { return filepath.Join(b.repo, "apps", name) }
func (b *builder) stageDir(name string) string { return filepath.Join(b.repo, "build", "stage", name) }
func (b *builder) tool(name string) string     { return filepath.Join(b.work, "bin", name) }

// buildTools compiles spk and the bridge that it packs.
func (b *builder) buildTools(ctx context.Context) error {
	for _, name := range []string{"spk", "sandstorm-http-bridge"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", b.tool(name), "./cmd/"+name)
		cmd.Dir = b.repo
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", name, err, out)
		}
	}
	return nil
}
