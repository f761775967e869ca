//go:build linux

package hostproc

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// PSS is a process's proportional set size in bytes: its own memory, and of
// what it shares its share.
func PSS(pid int) (int64, error) {
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

// Process is one that runs.
type Process struct {
	PID, Parent int
	Name        string
	started     uint64
}

// Processes lists all, the eldest first.
func Processes() ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var out []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // it has ended
		}
		p := Process{PID: pid}
		head, tail, _ := strings.Cut(string(text), ") ")
		_, p.Name, _ = strings.Cut(head, "(")
		fields := strings.Fields(tail)
		const parent, started = 4 - 3, 22 - 3 // counted from the third
		if len(fields) <= started {
			continue
		}
		if p.Parent, err = strconv.Atoi(fields[parent]); err != nil {
			continue
		}
		if p.started, err = strconv.ParseUint(fields[started], 10, 64); err != nil {
			continue
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Process) int {
		return cmp.Or(cmp.Compare(a.started, b.started), cmp.Compare(a.PID, b.PID))
	})
	return out, nil
}

// TreePSS is the PSS of a process and all its descendants, in bytes.
func TreePSS(pid int) (total int64, err error) {
	all, err := Processes()
	if err != nil {
		return 0, err
	}
	in := map[int]bool{pid: true}
	for _, p := range all { // parents are older than their children
		if in[p.Parent] {
			in[p.PID] = true
		}
	}
	for pid := range in {
		n, err := PSS(pid)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // it may have ended meanwhile
			return 0, err
		}
		total += n
	}
	return total, nil
}
