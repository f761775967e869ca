//go:build linux

// Command apps measures the example apps, for the table in apps/README.md: the
// size of the package, the time from the start of a new grain and of one that
// was there until the first page is answered, and the memory of all its
// processes once it is idle. It is what `make bench-apps` runs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/bench/internal/hostproc"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// settle is how long an app may come to rest before its memory is measured.
const settle = 3 * time.Second

func main() {
	if hostproc.Main() {
		return
	}
	dir := flag.String("dir", "build/apps", "directory of the packages")
	rounds := flag.Int("rounds", 5, "rounds to run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *dir, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench-apps:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, rounds int) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.spk"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no packages in %s: run “make apps” first (%w)", dir, err)
	}
	h, err := hostproc.Start()
	if err != nil {
		return err
	}
	defer h.Close()
	fmt.Println("| App | Version | Package | First start | Later starts | Memory |")
	fmt.Println("|---|---|---|---|---|---|")
	for _, file := range files {
		a := app{client: h.Client, file: file}
		if err := a.measure(ctx, rounds); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// app is one package and its figures.
type app struct {
	client       host.Client
	file         string
	pkg          sandstorm.Package
	first, later []time.Duration
	memory       []int64
}

func (a *app) measure(ctx context.Context, rounds int) error {
	f, err := os.Open(a.file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	installed, err := a.client.InstallPackage(ctx, f, host.InstallOptions{})
	if err != nil {
		return err
	}
	a.pkg = installed.Package
	for range rounds {
		if err := a.round(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("| %s | %s | %.1f MB | %d ms | %d ms | %.0f MiB |\n", strings.TrimSuffix(filepath.Base(a.file), ".spk"),
		a.pkg.Manifest.MarketingVersion.Default, float64(info.Size())/1e6,
		median(a.first).Milliseconds(), median(a.later).Milliseconds(), float64(median(a.memory))/(1<<20))
	return nil
}

// round is the life of one grain.
func (a *app) round(ctx context.Context) error {
	lease := host.Lease{Grain: sandstorm.NewGrainID(), Epoch: 1}
	first, _, err := hostproc.FirstPage(ctx, a.client, &a.pkg, host.StartRequest{Lease: lease, Package: a.pkg.ID})
	if err != nil {
		return err
	}
	if err := a.client.StopGrain(ctx, lease); err != nil {
		return err
	}
	later, status, err := hostproc.FirstPage(ctx, a.client, &a.pkg, host.StartRequest{Lease: lease, Package: a.pkg.ID, Action: host.ActionContinue})
	if err != nil {
		return err
	}
	time.Sleep(settle)
	memory, err := hostproc.TreePSS(status.PID)
	if err != nil {
		return err
	}
	a.first, a.later, a.memory = append(a.first, first), append(a.later, later), append(a.memory, memory)
	return a.client.DeleteGrain(ctx, lease)
}

func median[T time.Duration | int64](list []T) T {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}
