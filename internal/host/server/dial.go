package server

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// maxDials bounds how many callers try at the same time to reach one app. Each
// polls while the app does not listen; an app that never does must not cost
// more than a few of them.
const maxDials = 16

// slowStart is how long an app may take to listen before its log says so.
const slowStart = 30 * time.Second

// dialGrain connects to the app's port inside a running grain, and waits for
// that until the app listens.
func (s *server) dialGrain(ctx context.Context, p wire.DialParams) (*os.File, error) {
	g, err := s.table.acquire(p.Grain)
	if err != nil {
		return nil, err
	}
	defer s.table.release(g)
	r := s.table.running(g)
	if r == nil || r.status.Instance != p.Instance || !r.alive() {
		return nil, notRunning(p)
	}
	select {
	case r.dials <- struct{}{}:
		defer func() { <-r.dials }()
	case <-r.proc.Done():
		return nil, notRunning(p)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if !r.reached.Load() {
		defer s.noteSlowStart(g, r)()
	}
	f, err := r.proc.DialFile(ctx, r.port)
	if err == nil {
		r.reached.Store(true)
	}
	return f, err
}

func notRunning(p wire.DialParams) error {
	return sandstorm.Errorf(sandstorm.NotFound, "grain.not-running", "grain %s does not run as %.40q", p.Grain, p.Instance)
}

// noteSlowStart has the grain's log say that the app does not listen, unless
// the function that it returns is called in time.
func (s *server) noteSlowStart(g *grain, r *run) (stop func()) {
	s.table.hold(g)
	t := time.AfterFunc(slowStart, func() {
		defer s.table.release(g)
		r.slow.Do(func() {
			if log, err := s.table.logOf(g); err == nil {
				fmt.Fprintf(log, "** SANDSTORM: the app does not listen on port %d after %v; still trying\n", r.port, slowStart)
			}
		})
	})
	return func() {
		if t.Stop() {
			s.table.release(g)
		}
	}
}
