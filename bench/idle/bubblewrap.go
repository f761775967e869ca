//go:build linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/sandstorm-go/sandstorm/bench/internal/hostproc"
)

// findBubblewrap is the path of bwrap, "" if it is not installed.
func findBubblewrap() (string, error) {
	path, err := exec.LookPath("bwrap")
	if errors.Is(err, exec.ErrNotFound) {
		return "", nil
	}
	return path, err
}

// measureBubblewrap runs the same server in as many of its sandboxes, and
// returns the PSS of what bubblewrap keeps for each, in bytes.
func measureBubblewrap(bwrap string, n int) (float64, error) {
	dir, err := os.MkdirTemp("", "idle")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	app, err := payload()
	if err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(dir, "app"), app, 0o755); err != nil {
		return 0, err
	}
	var cmds []*exec.Cmd
	defer func() {
		for _, c := range cmds {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	}()
	mine := map[int]bool{}
	for range n {
		c := exec.Command(bwrap, "--unshare-all", "--die-with-parent",
			"--ro-bind", dir, "/", "/app")
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			return 0, err
		}
		cmds = append(cmds, c)
		mine[c.Process.Pid] = true
	}
	time.Sleep(settle)
	return keepers(mine, filepath.Base(bwrap), n)
}

// keepers adds up the processes of that name that are in mine or descend from
// them; each of the n sandboxes has at least one.
func keepers(mine map[int]bool, name string, n int) (float64, error) {
	procs, err := hostproc.Processes()
	if err != nil {
		return 0, err
	}
	var total int64
	found := 0
	for _, p := range procs { // parents come before their children
		if !mine[p.PID] && !mine[p.Parent] {
			continue
		}
		mine[p.PID] = true
		if p.Name != name {
			continue
		}
		size, err := hostproc.PSS(p.PID)
		if err != nil {
			return 0, err
		}
		total += size
		found++
	}
	if found < n {
		return 0, errors.New("bubblewrap ended early")
	}
	return float64(total) / float64(n), nil
}
