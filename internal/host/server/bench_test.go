package server_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/host"
)

// BenchmarkDialGrain is a connection to an app that listens, through a host
// process of its own.
func BenchmarkDialGrain(b *testing.B) {
	r := newRig(b, true)
	_, s := r.running()
	var times []time.Duration
	before := cpuTime(b, os.Getpid()) + cpuTime(b, r.cmd.Process.Pid)
	for b.Loop() {
		begin := time.Now()
		conn, err := r.client.DialGrain(b.Context(), s.Grain, s.Instance)
		times = append(times, time.Since(begin))
		if err != nil {
			b.Fatal(err)
		}
		conn.Close()
	}
	after := cpuTime(b, os.Getpid()) + cpuTime(b, r.cmd.Process.Pid)
	b.ReportMetric(float64((after-before).Microseconds())/float64(len(times)), "cpu-µs")
	percentiles(b, times)
}

// cpuTime is what a process has used of the processors, in steps of 10 ms.
func cpuTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(b, err)
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	user, err := strconv.Atoi(f[11])
	must(b, err)
	system, err := strconv.Atoi(f[12])
	must(b, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// percentiles tell more than the mean on a machine that others use as well.
func percentiles(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	for _, p := range []int{10, 50} {
		b.ReportMetric(float64(times[len(times)*p/100].Microseconds()), fmt.Sprintf("p%d-µs", p))
	}
}

// BenchmarkStartStop is a whole life of a grain; what it reports is the start.
func BenchmarkStartStop(b *testing.B) {
	r := newRig(b, true)
	lease := r.create(1)
	var times []time.Duration
	for b.Loop() {
		begin := time.Now()
		_, err := r.client.StartGrain(b.Context(), host.StartRequest{Lease: lease, Package: r.pkg, Action: actSleep})
		times = append(times, time.Since(begin))
		if err != nil {
			b.Fatal(err)
		}
		must(b, r.client.StopGrain(b.Context(), lease))
	}
	percentiles(b, times)
}
