//go:build linux

// Command idle measures what a grain costs on the host's side while nobody uses
// it: the growth of the host process plus grain-init, in bytes of proportional
// set size (PSS), with many grains of a trivial server. The app itself is not
// counted: it costs what it costs anywhere. It prints a table, and at the end
//
//	bench-idle: ours/limit = 0.05 (0.05–0.06 of 5), target 1.0
//	bench-idle: ours/bubblewrap = 0.20 (0.19–0.22 of 5), target 1.0
//
// The limit is 1 MiB per grain. Each round starts a new host process; the
// rounds of ours and of bubblewrap, whose processes that remain beside the app
// are counted, take turns.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/sandstorm-go/sandstorm/bench/internal/hostproc"
)

// limit is the target: 1 MiB per grain.
const limit = 1 << 20

// settle is how long processes may come to rest before they are measured.
const settle = 2 * time.Second

func main() {
	if hostproc.Main() {
		return
	}
	grains := flag.Int("grains", 200, "`number` of idle grains")
	rounds := flag.Int("rounds", 5, "`number` of rounds")
	flag.Parse()
	check(run(*grains, *rounds))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-idle:", err)
		os.Exit(1)
	}
}

func run(grains, rounds int) error {
	pkg, err := makePackage()
	if err != nil {
		return err
	}
	peer, err := findBubblewrap()
	if err != nil {
		return err
	}
	var limits, ratios []float64
	fmt.Printf("%-6s %14s %14s %14s %14s\n", "round", "host/grain", "init/grain", "ours/grain", "bubblewrap")
	for i := range rounds {
		ours, err := measureOurs(pkg, grains)
		if err != nil {
			return err
		}
		limits = append(limits, ours.perGrain()/limit)
		line := "not installed"
		if peer != "" {
			theirs, err := measureBubblewrap(peer, grains)
			if err != nil {
				return err
			}
			ratios = append(ratios, ours.perGrain()/theirs)
			line = kib(theirs)
		}
		fmt.Printf("%-6d %14s %14s %14s %14s\n", i+1, kib(ours.host), kib(ours.init), kib(ours.perGrain()), line)
	}
	report("limit", limits)
	report("bubblewrap", ratios)
	return nil
}

func kib(bytes float64) string { return fmt.Sprintf("%.1f KiB", bytes/1024) }

// report prints the median and the range of the rounds.
func report(name string, ratios []float64) {
	if len(ratios) == 0 {
		return
	}
	slices.Sort(ratios)
	fmt.Printf("bench-idle: ours/%s = %.2f (%.2f–%.2f of %d), target 1.0\n",
		name, ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1], len(ratios))
}
