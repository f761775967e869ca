//go:build linux

// Command unpack compares how fast a package is verified and unpacked with how
// fast `xz -dc` decompresses the same bytes and throws them away. It is what
// `make bench-unpack` runs.
//
// Ours does more: two hashes, a signature, the archive written once, and all
// its files. It may use all processors, as it does when it is installed; xz uses
// one, as it did under the original. The CPU times are compared, too. Then it
// does the same with a real app, which the host process installs for a client.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"

	"github.com/sandstorm-go/sandstorm/bench/internal/hostproc"
	"github.com/sandstorm-go/sandstorm/bench/internal/sample"
)

func main() {
	size := flag.Int64("size", 96, "megabytes of files in the package")
	rounds := flag.Int("rounds", 5, "rounds to run")
	app := flag.String("app", "build/apps/tiddlywiki.spk", "a package to install, end to end")
	if hostproc.Main() {
		return
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, *size<<20, *rounds)
	if err == nil {
		err = installs(ctx, *app, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-unpack:", err)
		os.Exit(1)
	}
}

// cost is what one run took.
type cost struct{ wall, cpu time.Duration }

func run(ctx context.Context, size int64, rounds int) (err error) {
	dir, err := os.MkdirTemp("", "bench-unpack.")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fixture, err := makeFixture(ctx, dir, size)
	if err != nil {
		return err
	}
	fmt.Printf("%d files, %d MB, packed by xz --threads=0 to %d MB\n", fixture.info.Nodes, fixture.info.Unpacked>>20, fixture.packed>>20)

	var wall, cpu []float64
	for i := -1; i < rounds; i++ { // the first one only warms up
		ours, err := fixture.unpack(ctx)
		if err != nil {
			return err
		}
		peer, err := fixture.decompress(ctx)
		if err != nil {
			return err
		}
		if i < 0 {
			runtime.GC()
			continue
		}
		speed := float64(fixture.info.Unpacked) / 1e6
		fmt.Printf("round %d: ours %.2f s, %.0f MB/s, %.2f s CPU; xz %.2f s, %.0f MB/s, %.2f s CPU\n", i+1,
			ours.wall.Seconds(), speed/ours.wall.Seconds(), ours.cpu.Seconds(),
			peer.wall.Seconds(), speed/peer.wall.Seconds(), peer.cpu.Seconds())
		wall = append(wall, ours.wall.Seconds()/peer.wall.Seconds())
		cpu = append(cpu, ours.cpu.Seconds()/peer.cpu.Seconds())
	}
	fmt.Println("CPU time: ours/xz =", sample.Ratios(cpu))
	fmt.Println("bench-unpack: ours/xz =", sample.Ratios(wall)+", target 1.0")
	return nil
}
