//go:build linux

// Package hostproc runs host processes for benchmarks, each on a data directory
// of its own, and measures what processes cost.
package hostproc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/server"
)

// envHost makes a benchmark the host process of that directory.
const envHost = "BENCH_HOST_DATA"

// Main is the first thing in a benchmark's main function: if it returns true,
// this process was a host process and has nothing more to do.
func Main() bool {
	data := os.Getenv(envHost)
	if data == "" {
		return false
	}
	err := server.Enter(data)
	if err == nil {
		err = server.Run(context.Background(), server.Options{DataDir: data})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(1)
	}
	return true
}

// Host is a host process that runs.
type Host struct {
	Client host.Client
	PID    int
	dir    string
	cmd    *exec.Cmd
}

// Start starts this program as a host process.
func Start() (h *Host, err error) {
	h = &Host{}
	if h.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	h.cmd = exec.Command("/proc/self/exe")
	h.cmd.Env = append(os.Environ(), envHost+"="+h.dir)
	h.cmd.Stderr = os.Stderr
	if err := h.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(h.dir))
	}
	h.PID = h.cmd.Process.Pid
	if h.Client, err = dial(host.SocketPath(h.dir)); err != nil {
		_ = h.cmd.Process.Kill()
		_ = h.cmd.Wait()
		return nil, errors.Join(err, os.RemoveAll(h.dir))
	}
	return h, nil
}

// Close ends it with its grains and removes what it kept.
func (h *Host) Close() error {
	err := h.Client.Shutdown(context.Background(), true)
	return errors.Join(err, h.Client.Close(), h.cmd.Wait(), os.RemoveAll(h.dir))
}

func dial(path string) (host.Client, error) {
	deadline := time.Now().Add(20 * time.Second)
	for {
		client, err := host.Dial(context.Background(), path)
		if err == nil || time.Now().After(deadline) {
			return client, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// StartGrain makes a grain, unless it is there, starts it and waits until its
// app listens.
func StartGrain(ctx context.Context, client host.Client, req host.StartRequest) (*host.GrainStatus, error) {
	if req.Action != host.ActionContinue {
		if err := client.CreateGrain(ctx, req.Lease); err != nil {
			return nil, err
		}
	}
	s, err := client.StartGrain(ctx, req)
	if err != nil {
		return nil, err
	}
	conn, err := client.DialGrain(ctx, s.Grain, s.Instance)
	if err != nil {
		return nil, err
	}
	return s, conn.Close()
}
