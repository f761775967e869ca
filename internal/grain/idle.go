package grain

import (
	"context"
	"errors"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// stopIdle stops grains that nobody has used for IdleTimeout. Use is: a request
// or WebSocket that is open, traffic on one, or an open page, whose keep-alive
// counts although it never reaches the app (gateway.md §3: the original killed
// the grain of a silent open tab).
func (m *Manager) stopIdle(ctx context.Context) {
	deadline := m.opts.Now().Add(-m.opts.IdleTimeout)
	for _, id := range m.idleSince(deadline) {
		if err := m.stopInTime(ctx, id); err != nil && ctx.Err() == nil {
			m.opts.Log.Error("cannot stop an idle grain", "grain", id, "err", err)
			continue
		}
		m.measure(ctx, id)
	}
}

// What one grain may cost the others who wait for their turn to be stopped or
// measured: an app can be slow to die, and its tree can be larger than anybody
// has time to walk.
const (
	stopTimeout    = 30 * time.Second
	measureTimeout = 30 * time.Second
)

func (m *Manager) stopInTime(ctx context.Context, id sandstorm.GrainID) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	return m.stop(ctx, id)
}

func (m *Manager) idleSince(deadline time.Time) []sandstorm.GrainID {
	open := m.sessions.lastUseByGrain()
	m.mu.Lock()
	defer m.mu.Unlock()
	var idle []sandstorm.GrainID
	for id, r := range m.runs {
		r.mu.Lock()
		l := r.live
		r.mu.Unlock()
		if l == nil || l.app.InFlight() > 0 {
			continue
		}
		if l.started.Before(deadline) && l.app.LastUse().Before(deadline) && open[id].Before(deadline) {
			idle = append(idle, id)
		}
	}
	return idle
}

// measure stores how much disk the grain takes.
func (m *Manager) measure(ctx context.Context, id sandstorm.GrainID) {
	ctx, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	size, err := m.opts.Host.GrainSize(ctx, id)
	if err == nil {
		err = m.opts.Store.SetGrainSize(ctx, id, size)
	}
	if err != nil && !errors.Is(err, context.Canceled) && !sandstorm.IsKind(err, sandstorm.NotFound) {
		m.opts.Log.Warn("cannot measure a grain", "grain", id, "err", err)
	}
}
