//go:build linux

// Command gateway compares what a request costs on its way through gateway and
// bridge with nginx, haproxy and caddy as reverse proxies in front of the same
// trivial app: 1 KiB and 10 MiB responses, plain and over TLS, with kept-alive
// connections on both sides. Everything runs on loopback; the proxy has one CPU
// to itself, load and app share another. It prints a table, and at the end one
// line for each case and peer:
//
//	bench-gateway-1k-plain: ours/nginx = 1.9 (1.8–2.0 of 3), target 3.0
//
// The ratio is of the proxy's CPU time per request. All proxies are measured in
// turn, in rounds; the range is that of the rounds.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		// Children of ourselves.
		switch os.Args[1] {
		case "app":
			exit(runApp())
		case "ours":
			exit(runOurs(os.Args[2:]))
		}
	}
	rounds := flag.Int("rounds", 3, "number of rounds, each giving one ratio")
	duration := flag.Duration("duration", 2*time.Second, "how long each measurement takes")
	only := flag.String("only", "", "measure only this case, for example 1k-plain")
	flag.Parse()
	exit(run(*rounds, *duration, *only))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-gateway:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// workload is one case: what is asked for, and how.
type workload struct {
	name        string
	path        string
	tls         bool
	connections int
	target      float64 // of ours/peer
}

var workloads = []workload{
	{"1k-plain", "/1k", false, 32, 3.0},
	{"1k-tls", "/1k", true, 32, 3.0},
	{"10m-plain", "/10m", false, 8, 1.2},
	{"10m-tls", "/10m", true, 8, 1.2},
}

func run(rounds int, duration time.Duration, only string) error {
	if rounds < 1 || duration < time.Second {
		return fmt.Errorf("at least one round of one second")
	}
	dir, err := os.MkdirTemp("", "bench-gateway-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, results: map[key][]result{}}
	defer b.stop()
	if err := b.start(); err != nil {
		return err
	}
	begin := time.Now()
	for range rounds {
		for _, w := range workloads {
			if only != "" && only != w.name {
				continue
			}
			for _, p := range b.proxies {
				if p.broken != nil {
					continue
				}
				r, err := b.measure(p, w, duration)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", p.name, w.name, err)
				}
				k := key{p.name, w.name}
				b.results[k] = append(b.results[k], r)
			}
		}
	}
	b.report(rounds, time.Since(begin))
	return nil
}
