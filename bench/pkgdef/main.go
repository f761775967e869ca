//go:build linux

// Command pkgdef measures what a packager waits for: the evaluation of a
// package definition, next to the Cap'n Proto tool, and the start of an app that
// is in development, whose files come over FUSE and are traced, next to the same
// app installed. It is what `make bench-pkgdef` runs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"github.com/sandstorm-go/sandstorm/bench/internal/hostproc"
	"github.com/sandstorm-go/sandstorm/bench/internal/sample"
	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
)

// limit is the target for one evaluation.
const limit = 5 * time.Millisecond

func main() {
	if hostproc.Main() {
		return
	}
	app := flag.String("app", "tiddlywiki", "the app to start")
	rounds := flag.Int("rounds", 15, "rounds to run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	definition := filepath.Join("apps", *app, "sandstorm-pkgdef.capnp")
	err := evaluations(ctx, definition, *rounds)
	if err == nil {
		err = starts(ctx, definition, filepath.Join("build", "apps", *app+".spk"), *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-pkgdef:", err)
		os.Exit(1)
	}
}

// evaluations compares ours, in this process and as a command, with the tool.
func evaluations(ctx context.Context, definition string, rounds int) error {
	var limits, ratios []float64
	for i := -1; i < rounds; i++ { // the first one only warms up
		inside, err := timed(func() error { return evaluate(definition) })
		if err != nil {
			return err
		}
		ours, err := timed(exec.CommandContext(ctx, "bin/spk", "eval", "-p", definition).Run)
		if err != nil {
			return err
		}
		theirs, err := timed(exec.CommandContext(ctx, "capnp", "eval", "-Ischema", "--output=json", definition, "pkgdef").Run)
		if err != nil {
			return err
		}
		if i >= 0 {
			limits = append(limits, inside.Seconds()/limit.Seconds())
			ratios = append(ratios, ours.Seconds()/theirs.Seconds())
		}
	}
	fmt.Println("bench-pkgdef: one evaluation: ours/5 ms =", sample.Ratios(limits)+", target 1.0")
	fmt.Println("bench-pkgdef: the command: spk eval/capnp eval =", sample.Ratios(ratios))
	return nil
}

// evaluate does all that `spk pack` and `spk eval` do with a definition.
func evaluate(definition string) error {
	value, err := pkgdef.Evaluate(definition, pkgdef.Options{})
	if err != nil {
		return err
	}
	if _, err := value.JSON(); err != nil {
		return err
	}
	_, err = value.Message()
	return err
}

func timed(do func() error) (time.Duration, error) {
	began := time.Now()
	err := do()
	return time.Since(began), err
}

func median(list []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(list))[len(list)/2]
}
