//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"
)

func (b *bench) report(rounds int, took time.Duration) {
	fmt.Printf("%-10s %-8s %14s %16s %12s\n", "case", "proxy", "CPU µs/request", "requests/CPU-s", "requests/s")
	for _, w := range workloads {
		for _, p := range b.proxies {
			list := b.results[key{p.name, w.name}]
			if len(list) == 0 {
				continue
			}
			cpu := median(list, func(r result) float64 { return float64(r.perRequest().Nanoseconds()) / 1e3 })
			rate := median(list, func(r result) float64 { return float64(r.requests) / r.elapsed.Seconds() })
			fmt.Printf("%-10s %-8s %14.1f %16.0f %12.0f\n", w.name, p.name, cpu, 1e6/cpu, rate)
		}
	}
	fmt.Printf("(medians of %d rounds, interleaved; %.0f s)\n", rounds, took.Seconds())
	for _, w := range workloads {
		for _, p := range b.proxies[1:] {
			b.ratio(w, p)
		}
	}
}

// ratio prints the line for one case and peer.
func (b *bench) ratio(w workload, p *proxy) {
	ours, peer := b.results[key{"ours", w.name}], b.results[key{p.name, w.name}]
	if len(ours) == 0 {
		return
	}
	if p.broken != nil {
		fmt.Printf("bench-gateway-%s: ours/%s = n/a (%s does not work here: %v), target %.1f\n", w.name, p.name, p.name, p.broken, w.target)
		return
	}
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = float64(ours[i].perRequest()) / float64(peer[i].perRequest())
	}
	slices.Sort(ratios)
	middle := ratios[len(ratios)/2]
	fmt.Printf("bench-gateway-%s: ours/%s = %.2f (%.2f–%.2f of %d), target %.1f\n",
		w.name, p.name, middle, ratios[0], ratios[len(ratios)-1], len(ratios), w.target)
}

func median(list []result, value func(result) float64) float64 {
	values := make([]float64, len(list))
	for i, r := range list {
		values[i] = value(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
