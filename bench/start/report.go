//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"
)

// target is what ours/peer must stay below.
const target = 1.0

func median(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%8.2f", d.Seconds()*1000) }

func report(programs []*program, batches int, took time.Duration) {
	bare, ours := programs[0], programs[1]
	fmt.Printf("%-12s %8s %8s %8s %8s\n", "", "ready ms", "p90 ms", "exit ms", "n")
	for _, p := range programs {
		if p.broken != nil {
			fmt.Printf("%-12s does not work here: %v\n", p.name, p.broken)
			continue
		}
		all := slices.Sorted(slices.Values(slices.Concat(p.ready...)))
		fmt.Printf("%-12s %s %s %s %8d\n", p.name, milliseconds(median(all)), milliseconds(all[len(all)*9/10]),
			milliseconds(median(slices.Concat(p.exit...))), len(all))
	}
	fmt.Printf("(start to first byte, and to the end; medians; interleaved; %.1f s)\n", took.Seconds())
	for _, p := range programs {
		if !p.peer {
			continue
		}
		if p.broken != nil {
			fmt.Printf("bench-start: ours/%s = n/a (%s does not work here: %v), target %.1f\n", p.name, p.name, p.broken, target)
			continue
		}
		ratios := make([]float64, batches)
		for b := range batches {
			base := median(bare.ready[b])
			ratios[b] = float64(median(ours.ready[b])-base) / float64(median(p.ready[b])-base)
		}
		slices.Sort(ratios)
		base := median(slices.Concat(bare.ready...))
		ratio := float64(median(slices.Concat(ours.ready...))-base) / float64(median(slices.Concat(p.ready...))-base)
		fmt.Printf("bench-start: ours/%s = %.2f (%.2f–%.2f of %d), target %.1f\n",
			p.name, ratio, ratios[0], ratios[batches-1], batches, target)
	}
}
