//go:build linux

package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// pss is a process's proportional set size in bytes: its own memory, and of
// what it shares its share.
func pss(pid int) (int64, error) {
	path := filepath.Join("/proc", strconv.Itoa(pid), "smaps_rollup")
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var n int64
		if _, err := fmt.Sscanf(line, "Pss: %d kB", &n); err == nil {
			return n << 10, nil
		}
	}
	return 0, fmt.Errorf("%s says nothing of PSS", path)
}

// proc is a process.
type proc struct {
	pid, parent int
	name        string
	started     uint64
}

// processes lists all, the eldest first.
func processes() ([]proc, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var out []proc
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // it has ended
		}
		p := proc{pid: pid}
		head, tail, _ := strings.Cut(string(text), ") ")
		_, p.name, _ = strings.Cut(head, "(")
		fields := strings.Fields(tail)
		const parent, started = 4 - 3, 22 - 3 // counted from the third
		if len(fields) <= started {
			continue
		}
		if p.parent, err = strconv.Atoi(fields[parent]); err != nil {
			continue
		}
		if p.started, err = strconv.ParseUint(fields[started], 10, 64); err != nil {
			continue
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b proc) int {
		return cmp.Or(cmp.Compare(a.started, b.started), cmp.Compare(a.pid, b.pid))
	})
	return out, nil
}
