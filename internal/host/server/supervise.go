package server

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// drainTimeout bounds the wait for the rest of a dead grain's log.
const drainTimeout = 2 * time.Second

// supervise enters a running grain and watches over it: its log and its end.
// It takes over p and pipe, and holds the grain until the run is done.
func (s *server) supervise(g *grain, rec *record, p process, log *grainLog, pipe *os.File) *run {
	r := &run{
		status: rec.status(g.id), port: rec.Port, proc: p,
		ended: make(chan struct{}), done: make(chan struct{}), probe: make(chan struct{}, 1),
	}
	s.table.mu.Lock()
	g.run = r
	g.refs++
	s.table.mu.Unlock()
	s.background.Go(func() {
		defer s.table.release(g)
		s.watchRun(g, r, log, pipe)
	})
	return r
}

// watchRun returns when the run is over or the host ends; in that case the
// grain goes on.
func (s *server) watchRun(g *grain, r *run, log *grainLog, pipe *os.File) {
	defer r.proc.close()
	copying, stopCopying := context.WithCancel(s.life)
	defer stopCopying()
	copied := make(chan struct{})
	s.background.Go(func() {
		defer close(copied)
		if err := copyLog(copying, pipe, log); err != nil {
			s.log.Warn("log of a grain was lost in part", "grain", g.id, "err", err)
		}
	})
	status, err := r.proc.wait(s.life)
	if err != nil && s.life.Err() != nil {
		<-copied
		return
	}
	if err != nil {
		s.log.Error("cannot watch a grain: it is stopped", "grain", g.id, "err", err)
		_ = r.proc.kill()
		status = exitStatus{unknown: true}
	}
	close(r.ended)
	select {
	case <-copied:
	case <-time.After(drainTimeout):
		stopCopying()
		<-copied
	}
	s.finish(g, r, log, status)
}

// finish records the end of a run.
func (s *server) finish(g *grain, r *run, log *grainLog, status exitStatus) {
	exit := status.exit(r.stopped.Load())
	if line := status.line(); line != "" && !exit.Stopped {
		fmt.Fprintln(log, line)
	}
	if err := g.dir.remove(fileRun); err != nil {
		s.log.Error("run record stays behind", "grain", g.id, "err", err)
	}
	s.table.setRun(g, nil)
	s.log.Info("grain ended", "grain", g.id, "epoch", r.status.Epoch,
		"stopped", exit.Stopped, "code", exit.Code, "signal", exit.Signal)
	s.events.publish(host.Event{Grain: g.id, Instance: r.status.Instance, Exit: exit})
	close(r.done)
}

// alive reports whether the run's processes are still there.
func (r *run) alive() bool {
	select {
	case <-r.ended:
		return false
	default:
		return true
	}
}

// end kills a run and waits until nothing of it is left.
func (s *server) end(ctx context.Context, r *run) error {
	if r.alive() {
		r.stopped.Store(true)
		if err := r.proc.kill(); err != nil {
			return fmt.Errorf("kill grain: %w", err)
		}
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.life.Done():
		return sandstorm.Errorf(sandstorm.Unavailable, "host.down", "host process is ending")
	}
}

func (e exitStatus) exit(stopped bool) host.Exit {
	out := host.Exit{Stopped: stopped}
	switch {
	case stopped:
	case e.unknown:
		out.Unknown = true
	case e.signal != 0:
		out.Signal = signalName(e.signal)
	default:
		out.Code = e.code
	}
	return out
}

// line is what people find at the end of the log, in the words that they know
// from earlier servers (sandbox.md §5).
func (e exitStatus) line() string {
	const who = "** SANDSTORM SUPERVISOR: App exited "
	switch {
	case e.unknown:
		return ""
	case e.signal != 0:
		text := syscall.Signal(e.signal).String()
		if text != "" {
			text = strings.ToUpper(text[:1]) + text[1:]
		}
		return fmt.Sprintf(who+"due to signal %d (%s).", e.signal, text)
	default:
		return fmt.Sprintf(who+"with status code: %d", e.code)
	}
}

func signalName(n int) string {
	if name := unix.SignalName(syscall.Signal(n)); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", n)
}
