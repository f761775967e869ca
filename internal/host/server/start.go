package server

import (
	"context"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/host"
)

// Bounds of a start: of the whole, and of the wait for a lock whose holder has
// just been killed.
const (
	startTimeout = 60 * time.Second
	lockTimeout  = 2 * time.Second
)

// startGrain makes sure that the grain runs. Callers that ask for the same at
// the same time share one start and its outcome; nobody's ctx ends it for the
// others.
func (s *server) startGrain(ctx context.Context, req host.StartRequest) (*host.GrainStatus, error) {
	g, err := s.table.acquire(req.Lease.Grain)
	if err != nil {
		return nil, err
	}
	defer s.table.release(g)
	f := s.join(ctx, g, req)
	select {
	case <-f.done:
		return f.status, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// join returns the start of that request that is under way, or begins one.
func (s *server) join(ctx context.Context, g *grain, req host.StartRequest) *flight {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	if f := g.starts[req]; f != nil {
		return f
	}
	f := &flight{done: make(chan struct{})}
	if g.starts == nil {
		g.starts = map[host.StartRequest]*flight{}
	}
	g.starts[req] = f
	g.refs++
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
	s.background.Go(func() {
		defer cancel()
		defer s.table.release(g)
		f.status, f.err = s.startLocked(ctx, g, req)
		s.table.mu.Lock()
		delete(g.starts, req)
		s.table.mu.Unlock()
		close(f.done)
	})
	return f
}

func (s *server) startLocked(ctx context.Context, g *grain, req host.StartRequest) (*host.GrainStatus, error) {
	if err := s.table.lock(ctx, g); err != nil {
		return nil, err
	}
	defer g.unlock()
	if err := fence(g.dir, g.id, req.Lease.Epoch); err != nil {
		return nil, err
	}
	if r := s.table.running(g); r != nil {
		if r.status.Epoch == req.Lease.Epoch && r.alive() {
			return &r.status, nil
		}
		if err := s.end(ctx, r); err != nil {
			return nil, err
		}
	}
	r, err := s.launch(ctx, g, req)
	if err != nil {
		s.log.Warn("grain did not start", "grain", g.id, "pkg", req.Package, "err", err)
		return nil, err
	}
	return &r.status, nil
}

// pause waits a moment, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
