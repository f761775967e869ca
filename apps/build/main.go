// Command build makes packages of the apps in this directory: for each it runs
// the folder's build.sh, then `spk pack` on the folder's definition, as any
// packager would, unless the package is there and nothing changed. See
// ../README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	out := flag.String("out", "build/apps", "directory for the .spk files")
	force := flag.Bool("force", false, "build even if nothing changed")
	names, err := parseArgs(os.Args[1:])
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := buildAll(ctx, names, *out, *force); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		stop()
		os.Exit(1)
	}
}

// parseArgs takes flags before, between and after the names.
func parseArgs(args []string) (names []string, err error) {
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: build [--out DIR] [--force] [APP…]\n\nWithout names all apps are built.")
		flag.PrintDefaults()
	}
	flag.CommandLine.Init("build", flag.ContinueOnError)
	for {
		if err := flag.CommandLine.Parse(args); err != nil {
			return nil, err
		}
		if flag.NArg() == 0 {
			return names, nil
		}
		names = append(names, flag.Arg(0))
		args = flag.Args()[1:]
	}
}

func buildAll(ctx context.Context, names []string, out string, force bool) error {
	b, err := newBuilder(out)
	if err != nil {
		return err
	}
	unlock, err := b.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if len(names) == 0 {
		if names, err = b.apps(); err != nil {
			return err
		}
	}
	if err := b.buildTools(ctx); err != nil {
		return err
	}
	for _, name := range names {
		start := time.Now()
		made, err := b.build(ctx, name, force)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		what := "up to date"
		if made.fresh {
			what = fmt.Sprintf("built in %.1f s", time.Since(start).Seconds())
		}
		fmt.Fprintf(os.Stderr, "%-12s %6.1f MB  %s  %s\n", name, float64(made.size)/1e6, made.file, what)
	}
	return nil
}

// builder knows where things are.
type builder struct {
	repo string // of the repository
	work string // below the repository's build directory: never committed
	out  string
}

func newBuilder(out string) (*builder, error) {
	repo, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(repo, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(repo)
		if up == repo {
			return nil, errors.New("run this inside the repository")
		}
		repo = up
	}
	out, err = filepath.Abs(out)
	if err != nil {
		return nil, err
	}
	return &builder{repo: repo, work: filepath.Join(repo, "build", "work"), out: out}, os.MkdirAll(out, 0o755)
}

// lock waits until no other builder works here: they share what was downloaded.
func (b *builder) lock() (unlock func(), err error) {
	if err := os.MkdirAll(b.work, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(b.work, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	// What is staged may hold Go files of strangers: with a module of its own
	// the folder is no part of this one.
	marker := filepath.Join(b.repo, "build", "go.mod")
	if err := os.WriteFile(marker, []byte("module build\n"), 0o644); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// apps lists the folders that describe an app.
func (b *builder) apps() ([]string, error) {
	found, err := fs.Glob(os.DirFS(b.repo), "apps/*/"+definitionFile)
	for i, f := range found {
		found[i] = filepath.Base(filepath.Dir(f))
	}
	slices.Sort(found)
	return found, err
}
