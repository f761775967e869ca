package server

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox"
)

// drainTimeout bounds the wait for the rest of a dead grain's log.
const drainTimeout = 2 * time.Second

// supervise enters a running grain and watches over it: its log and its end.
// It takes over p and pipe, and holds the grain until the run is done.
func (s *server) supervise(g *grain, rec *record, p *sandbox.Process, log *grainLog, pipe *os.File) *run {
	r := &run{
		status: rec.status(g.id), port: rec.Port, proc: p,
		done: make(chan struct{}), dials: make(chan struct{}, maxDials),
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
	copying, stopCopying := context.WithCancel(s.life)
	defer stopCopying()
	copied := make(chan struct{})
	s.background.Go(func() {
		defer close(copied)
		if err := copyLog(copying, pipe, log); err != nil {
			s.log.Warn("log of a grain was lost in part", "grain", g.id, "err", err)
		}
	})
	exit, err := r.proc.Wait(s.life)
	if err != nil { // the host ends; the grain does not
		<-copied
		return
	}
	select {
	case <-copied:
	case <-time.After(drainTimeout):
		stopCopying()
		<-copied
	}
	s.finish(g, r, log, exit)
}

// finish records the end of a run.
func (s *server) finish(g *grain, r *run, log *grainLog, exit host.Exit) {
	if exit.Stopped {
		exit = host.Exit{Stopped: true}
	}
	if line := exitLine(exit); line != "" {
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
	case <-r.proc.Done():
		return false
	default:
		return true
	}
}

// end kills a run and waits until nothing of it is left.
func (s *server) end(ctx context.Context, r *run) error {
	if r.alive() {
		if err := r.proc.Kill(); err != nil {
			return fmt.Errorf("kill grain: %w", err)
		}
	}
	if d := s.devs.get(r.status.Package); d != nil && d.fuse != nil {
		// It may wait for a file that nobody serves, and that cannot be killed.
		defer time.AfterFunc(devKillTimeout, d.stall).Stop()
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

// exitLine is what people find at the end of the log, in the words that they
// know from earlier servers (sandbox.md §5).
func exitLine(exit host.Exit) string {
	const who = "** SANDSTORM SUPERVISOR: App exited "
	if exit.Stopped || exit.Unknown {
		return ""
	}
	if exit.Signal == "" {
		return fmt.Sprintf(who+"with status code: %d", exit.Code)
	}
	n := unix.SignalNum(exit.Signal)
	text := n.String()
	return fmt.Sprintf(who+"due to signal %d (%s).", int(n), strings.ToUpper(text[:1])+text[1:])
}
