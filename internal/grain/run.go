package grain

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// run is what the manager knows of one grain's process: whether it runs, the
// way to its app, and how it ended last.
type run struct {
	start sync.Mutex // held while the grain is started, stopped or deleted: one at a time
	ran   bool       // guarded by start: it was started, whatever its record says

	mu      sync.Mutex
	live    *live      // nil while the grain does not run
	exit    *host.Exit // how it ended last, if it ended by itself
	crashes int        // ends by itself shortly after the start, in a row
	crashed time.Time  // when it last ended so
}

// live is one instance of a running grain. It is never reused: once ended is
// set, whoever holds it must ask for the grain anew.
type live struct {
	status  host.GrainStatus
	ran     choice // what it runs from
	app     *bridge.App
	started time.Time
	ended   atomic.Bool
	done    chan struct{} // closed with ended
	seq     atomic.Int64  // numbers the sessions that this instance sees
}

// A grain that ends within crashWindow of its start counts as crashed; after
// crashLimit such ends in a row it is started again only every crashPause, so
// that a browser that retries does not keep the machine busy.
const (
	crashWindow = 5 * time.Second
	crashLimit  = 3
	crashPause  = 10 * time.Second
)

func (m *Manager) run(id sandstorm.GrainID) *run {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.runs[id]
	if r == nil {
		r = &run{}
		m.runs[id] = r
	}
	return r
}

// peek returns the grain's running instance, or nil.
func (m *Manager) peek(id sandstorm.GrainID) *live {
	m.mu.Lock()
	r := m.runs[id]
	m.mu.Unlock()
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live
}

// ensure returns the running instance of the grain and starts it if needed.
// The start goes on when ctx ends: one visitor who leaves must not fail it for
// the others.
func (m *Manager) ensure(ctx context.Context, id sandstorm.GrainID) (*live, error) {
	if l := m.peek(id); l != nil {
		return l, nil
	}
	type result struct {
		live *live
		err  error
	}
	done := make(chan result, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.opts.StartTimeout)
		defer cancel()
		l, err := m.startOne(ctx, id)
		done <- result{l, err}
	}()
	select {
	case r := <-done:
		return r.live, r.err
	case <-ctx.Done():
		return nil, &sandstorm.Error{Kind: sandstorm.Unavailable, Key: "grain.start-abandoned", Err: ctx.Err()}
	}
}

func (m *Manager) startOne(ctx context.Context, id sandstorm.GrainID) (*live, error) {
	r := m.run(id)
	r.start.Lock()
	defer r.start.Unlock()
	if l := m.peek(id); l != nil {
		return l, nil // somebody else started it meanwhile
	}
	if err := r.mayStart(m.opts.Now()); err != nil {
		return nil, err
	}
	g, err := m.opts.Store.Grain(ctx, id)
	if err != nil {
		return nil, err
	}
	if g.Trashed != nil {
		return nil, sandstorm.Errorf(sandstorm.Conflict, "grain.in-trash", "grain %s is in the trash", id)
	}
	chosen, err := m.choose(ctx, g)
	if err == nil {
		err = m.settle(ctx, g, chosen)
	}
	if err != nil {
		return nil, err
	}
	epoch, err := m.opts.Store.ClaimLease(ctx, id)
	if err != nil {
		return nil, err
	}
	req := host.StartRequest{Lease: host.Lease{Grain: id, Epoch: epoch}, Package: chosen.pkg.ID, Action: g.Action}
	if g.Started || r.ran {
		req.Action = host.ActionContinue
	}
	status, err := m.opts.Host.StartGrain(ctx, req)
	if err != nil {
		return nil, startFailed(err)
	}
	m.markStarted(ctx, r, g)
	return m.took(r, *status, chosen), nil
}

// markStarted records that the action's command ran: it makes a new document
// and must not run again over the old one. If the record cannot be written the
// grain runs all the same, and the next start tries again.
func (m *Manager) markStarted(ctx context.Context, r *run, g *sandstorm.Grain) {
	r.ran = true
	if g.Started {
		return
	}
	if err := m.opts.Store.SetGrainStarted(ctx, g.ID); err != nil {
		m.opts.Log.Error("cannot record that a grain was started", "grain", g.ID, "err", err)
	}
}

// startFailed is why a grain does not start. To the host a package whose command
// is of no use is invalid; to who visits the grain that is no fault of theirs.
func startFailed(err error) error {
	var e *sandstorm.Error
	if !errors.As(err, &e) || e.Kind != sandstorm.Invalid {
		return err
	}
	unavailable := *e
	unavailable.Kind = sandstorm.Unavailable
	return &unavailable
}

func missingPackage(err error, id sandstorm.PackageID) error {
	if sandstorm.IsKind(err, sandstorm.NotFound) {
		return sandstorm.Errorf(sandstorm.Unavailable, "grain.missing-package", "package %s is not installed", id)
	}
	return err
}

// took records a running instance.
func (m *Manager) took(r *run, status host.GrainStatus, ran choice) *live {
	l := &live{status: status, ran: ran, started: m.opts.Now(), done: make(chan struct{})}
	opts := bridge.AppOptions{
		Dial: func(ctx context.Context) (net.Conn, error) {
			conn, err := m.opts.Host.DialGrain(ctx, status.Grain, status.Instance)
			if sandstorm.IsKind(err, sandstorm.NotFound) {
				m.gone(ctx, l)
				err = m.explain(status.Grain, err)
			}
			return conn, err
		},
		Log: m.opts.Log.With("grain", status.Grain),
	}
	if cfg := ran.pkg.Bridge; cfg != nil {
		opts.APIPath = cfg.APIPath
	}
	l.app = bridge.NewApp(opts)
	r.mu.Lock()
	r.live, r.exit = l, nil
	r.mu.Unlock()
	m.opts.Log.Info("grain runs", "grain", status.Grain, "epoch", status.Epoch)
	m.changed(status.Grain)
	return l
}

// gone is called when the host says that an instance does not run. The event
// that says why is on its way; without it the reason stays unknown.
func (m *Manager) gone(ctx context.Context, l *live) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	select {
	case <-l.done:
	case <-ctx.Done():
		m.ended(host.Event{Grain: l.status.Grain, Instance: l.status.Instance, Exit: host.Exit{Unknown: true}})
	}
}

// explain turns "that instance does not run" into the reason why it ended.
func (m *Manager) explain(id sandstorm.GrainID, err error) error {
	if !sandstorm.IsKind(err, sandstorm.NotFound) {
		return err
	}
	r := m.run(id)
	r.mu.Lock()
	exit := r.exit
	r.mu.Unlock()
	if exit == nil {
		return &sandstorm.Error{Kind: sandstorm.Unavailable, Key: "grain.ended", Err: err}
	}
	return crashError(*exit)
}

func crashError(exit host.Exit) error {
	key, detail := describeExit(exit)
	return (&sandstorm.Error{Kind: sandstorm.Unavailable, Key: key, Err: errors.New("the app ended: " + detail)}).With("detail", detail)
}

// describeExit returns the message key and the untranslated detail of an end.
func describeExit(exit host.Exit) (key, detail string) {
	switch {
	case exit.Signal != "":
		return "grain.killed-by-signal", exit.Signal
	case exit.Unknown:
		return "grain.ended", ""
	default:
		return "grain.exited", "exit status " + strconv.Itoa(exit.Code)
	}
}

// mayStart refuses a start while the grain is in a crash loop.
func (r *run) mayStart(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.crashes >= crashLimit && now.Sub(r.crashed) < crashPause && r.exit != nil {
		return crashError(*r.exit)
	}
	return nil
}

// forgive makes the grain one that has not crashed.
func (r *run) forgive() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.crashes, r.exit = 0, nil
}

// ended records that an instance is gone.
func (m *Manager) ended(e host.Event) {
	r := m.run(e.Grain)
	r.mu.Lock()
	l := r.live
	if l == nil || l.status.Instance != e.Instance {
		r.mu.Unlock()
		return
	}
	r.live = nil
	if !e.Exit.Stopped {
		r.exit = &e.Exit
		now := m.opts.Now()
		if now.Sub(l.started) < crashWindow {
			r.crashes++
		} else {
			r.crashes = 0
		}
		r.crashed = now
	}
	r.mu.Unlock()
	l.end()
	m.opts.Log.Info("grain ended", "grain", e.Grain, "stopped", e.Exit.Stopped, "code", e.Exit.Code, "signal", e.Exit.Signal)
	m.changed(e.Grain)
}

func (l *live) end() {
	if l.ended.Swap(true) {
		return
	}
	close(l.done)
	l.app.Close()
}

// Adopt takes over what already runs on the host and forgets what does not.
// A grain that is no longer in the store, or is in the trash, is stopped. It is
// to be called before the first visit, or a running grain would be started anew.
func (m *Manager) Adopt(ctx context.Context) error {
	// What starts after this is not in the host's list and not gone either.
	before := m.lives()
	running, err := m.opts.Host.Grains(ctx)
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, status := range running {
		found[status.Instance] = true
		m.adoptOne(ctx, status)
	}
	for _, l := range before {
		if !found[l.status.Instance] {
			m.ended(host.Event{Grain: l.status.Grain, Instance: l.status.Instance, Exit: host.Exit{Unknown: true}})
		}
	}
	return nil
}

// lives are all instances that are thought to run.
func (m *Manager) lives() []*live {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*live
	for _, r := range m.runs {
		r.mu.Lock()
		if r.live != nil {
			out = append(out, r.live)
		}
		r.mu.Unlock()
	}
	return out
}

func (m *Manager) adoptOne(ctx context.Context, status host.GrainStatus) {
	r := m.run(status.Grain)
	r.start.Lock()
	defer r.start.Unlock()
	g, err := m.opts.Store.Grain(ctx, status.Grain)
	unwanted := sandstorm.IsKind(err, sandstorm.NotFound) || err == nil && g.Trashed != nil
	// The list may be older than a start that we made meanwhile. What we know
	// to run is stopped all the same if the host was away when it should have
	// been.
	if l := m.peek(status.Grain); l != nil && l.status.Epoch >= status.Epoch && !unwanted {
		return
	}
	var pkg *sandstorm.Package
	if err == nil {
		pkg, err = m.opts.Store.Package(ctx, status.Package)
	}
	if err != nil && !sandstorm.IsKind(err, sandstorm.NotFound) {
		m.opts.Log.Error("cannot look up a running grain", "grain", status.Grain, "err", err)
		return
	}
	if err != nil || g.Trashed != nil {
		m.opts.Log.Warn("stopping a grain that should not run", "grain", status.Grain)
		if err := m.opts.Host.StopGrain(ctx, host.Lease{Grain: status.Grain, Epoch: status.Epoch}); err != nil {
			m.opts.Log.Error("cannot stop a grain", "grain", status.Grain, "err", err)
		}
		return
	}
	// The server that started it may not have come to record that.
	m.markStarted(ctx, r, g)
	m.took(r, status, choice{pkg: pkg})
}

// stop stops the grain if it runs. Its lease stays with this server.
func (m *Manager) stop(ctx context.Context, id sandstorm.GrainID) error {
	r := m.run(id)
	r.start.Lock()
	defer r.start.Unlock()
	return m.stopLocked(ctx, id)
}

// stopLocked is stop for who holds the run's start lock.
func (m *Manager) stopLocked(ctx context.Context, id sandstorm.GrainID) error {
	l := m.peek(id)
	if l == nil {
		return nil
	}
	if err := m.opts.Host.StopGrain(ctx, host.Lease{Grain: id, Epoch: l.status.Epoch}); err != nil {
		return err
	}
	m.ended(host.Event{Grain: id, Instance: l.status.Instance, Exit: host.Exit{Stopped: true}})
	return nil
}

// changed tells the pages that show this grain.
func (m *Manager) changed(id sandstorm.GrainID) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	g, err := m.opts.Store.Grain(ctx, id)
	if err != nil {
		return // deleted: nobody shows it any more
	}
	m.opts.Notify.Publish(g.Owner, "grain:"+string(id))
	m.opts.Notify.Publish(g.Owner, "grains")
}
