package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// How often an app that does not listen yet is tried, and when its log says
// that it still does not.
const (
	firstPoll = 100 * time.Microsecond
	lastPoll  = 10 * time.Millisecond
	slowStart = 30 * time.Second
)

// dialGrain connects to the app's port inside a running grain.
func (s *server) dialGrain(ctx context.Context, p wire.DialParams) (*os.File, error) {
	g, err := s.table.acquire(p.Grain)
	if err != nil {
		return nil, err
	}
	defer s.table.release(g)
	r := s.table.running(g)
	if r == nil || r.status.Instance != p.Instance || !r.alive() {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "grain.not-running", "grain %s does not run as %.40q", p.Grain, p.Instance)
	}
	f, err := r.proc.dial(ctx, r.port)
	if err == nil {
		r.listening.Store(true)
		return f, nil
	}
	return s.dialLater(ctx, g, r, err)
}

// dialLater tries until the app listens. One caller at a time does; as soon as
// it gets through, the others follow.
func (s *server) dialLater(ctx context.Context, g *grain, r *run, err error) (*os.File, error) {
	select {
	case r.probe <- struct{}{}:
		defer func() { <-r.probe }()
	case <-r.ended:
		return nil, endedError(r)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	begin, told := time.Now(), false
	for wait := firstPoll; ; wait = min(2*wait, lastPoll) {
		if !notYet(err) {
			return nil, sandstorm.Errorf(sandstorm.Unavailable, "grain.connect", "connect to grain %s: %w", g.id, err)
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-r.ended:
			t.Stop()
			return nil, endedError(r)
		case <-ctx.Done():
			t.Stop()
			return nil, context.Cause(ctx)
		}
		var f *os.File
		if f, err = r.proc.dial(ctx, r.port); err == nil {
			r.listening.Store(true)
			return f, nil
		}
		if !told && time.Since(begin) > slowStart && !r.listening.Load() {
			told = true
			s.noteSlowStart(g, r)
		}
	}
}

// notYet reports whether a failed attempt says no more than that the app is
// not ready: nobody listens, or too many wait to be accepted.
func notYet(err error) bool {
	return errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ETIMEDOUT)
}

func (s *server) noteSlowStart(g *grain, r *run) {
	log, err := s.table.logOf(g)
	if err != nil {
		return
	}
	fmt.Fprintf(log, "** SANDSTORM: the app does not listen on port %d after %v; still trying\n", r.port, slowStart)
}

func endedError(r *run) error {
	return sandstorm.Errorf(sandstorm.Unavailable, "grain.ended", "grain %s ended", r.status.Grain)
}
