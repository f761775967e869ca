package grain

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/notify"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// Options are what a Manager works with. Zero durations mean the defaults.
type Options struct {
	Store  *store.Store
	Host   host.Client
	Notify *notify.Hub
	Log    *slog.Logger

	// Dev returns the package of an app under development and the name of its
	// present state, or nil; may be nil itself.
	Dev func(sandstorm.AppID) (pkg *sandstorm.Package, revision string)
	// PictureURL returns the address of an account's picture; may be nil.
	PictureURL func(*sandstorm.Account) string
	// SessionURL returns the origin of a session's host, scheme://host[:port].
	SessionURL func(sandstorm.HostID) string

	IdleTimeout    time.Duration // a grain unused for this long is stopped; default 2 min
	StartTimeout   time.Duration // a start that takes longer fails; default 60 s
	SessionTimeout time.Duration // an unused session ends; default 24 h
	Now            func() time.Time
}

// Manager applies the rules of grains. Its methods may be called concurrently.
type Manager struct {
	opts Options

	mu   sync.Mutex
	runs map[sandstorm.GrainID]*run // started here or adopted; entries stay to remember why a grain ended

	sessions sessionCache
}

// New makes a Manager. Before the first visit call Adopt, then Run, which
// watches what runs and stops what is idle.
func New(opts Options) *Manager {
	if opts.IdleTimeout == 0 {
		opts.IdleTimeout = 2 * time.Minute
	}
	if opts.StartTimeout == 0 {
		opts.StartTimeout = time.Minute
	}
	if opts.SessionTimeout == 0 {
		opts.SessionTimeout = 24 * time.Hour
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Manager{
		opts:     opts,
		runs:     map[sandstorm.GrainID]*run{},
		sessions: sessionCache{byHost: map[sandstorm.HostID]*session{}},
	}
}

// Run follows the ends of grains and stops idle ones, until ctx is done. Grains
// go on running after that.
func (m *Manager) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { m.watch(ctx); return nil })
	g.Go(func() error {
		m.every(ctx, min(m.opts.IdleTimeout/4, 15*time.Second), m.stopIdle)
		return nil
	})
	g.Go(func() error {
		m.every(ctx, 10*time.Minute, m.tidy)
		return nil
	})
	return g.Wait()
}

// every calls f at each interval until ctx is done.
func (m *Manager) every(ctx context.Context, interval time.Duration, f func(context.Context)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f(ctx)
		}
	}
}

// watch follows the ends of grains. When the host goes away it waits for the
// next one and looks at what runs there.
func (m *Manager) watch(ctx context.Context) {
	for ctx.Err() == nil {
		events, err := m.opts.Host.Watch(ctx)
		if err == nil {
			err = m.Adopt(ctx)
		}
		if err != nil {
			m.opts.Log.Warn("cannot watch the grains", "err", err)
			sleep(ctx, time.Second)
			continue
		}
		for e := range events {
			m.ended(e)
		}
	}
}

// tidy does what can wait: it ends old sessions, deletes what lay in the trash
// for long enough, and measures.
func (m *Manager) tidy(ctx context.Context) {
	now := m.opts.Now()
	m.syncSessions(ctx)
	if _, err := m.opts.Store.DeleteGrainSessionsBefore(ctx, now.Add(-m.opts.SessionTimeout)); err != nil {
		m.opts.Log.Error("cannot end old sessions", "err", err)
	}
	m.sessions.dropBefore(now.Add(-10 * time.Minute))
	m.purgeTrash(ctx, now.Add(-TrashRetention))
	for _, l := range m.lives() {
		m.measure(ctx, l.status.Grain)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
