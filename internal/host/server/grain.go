package server

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox"
)

// grain is a grain that is in use right now: it runs, or a call is about it.
type grain struct {
	id  sandstorm.GrainID
	dir *dir

	// ops holds a token while something is done to the grain: at most one
	// start, stop or deletion at a time.
	ops chan struct{}

	// guarded by the table's mutex
	refs    int
	run     *run
	starts  map[host.StartRequest]*flight
	log     *grainLog
	deleted bool
}

// run is one running instance of a grain.
type run struct {
	status host.GrainStatus
	port   int
	proc   *sandbox.Process

	done    chan struct{} // closed when nothing of it is left, not even in the table
	dials   chan struct{} // a token for each caller that connects to the app
	reached atomic.Bool   // the app has listened
	slow    sync.Once     // its log was told that it does not listen
}

// flight is a start that is under way, and its outcome for all who wait.
type flight struct {
	done   chan struct{}
	status *host.GrainStatus
	err    error
}

// table holds the grains in use.
type table struct {
	dirs *dirs

	mu     sync.Mutex
	grains map[sandstorm.GrainID]*grain
}

// acquire returns the grain, to be released; NotFound if it has no storage.
func (t *table) acquire(id sandstorm.GrainID) (*grain, error) {
	if _, err := sandstorm.ParseGrainID(string(id)); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.grains[id]
	if g == nil {
		d, err := t.dirs.grain(id)
		if err != nil {
			return nil, err
		}
		g = &grain{id: id, dir: d, ops: make(chan struct{}, 1)}
		t.grains[id] = g
	}
	g.refs++
	return g, nil
}

// hold adds a reference to a grain that the caller holds already.
func (t *table) hold(g *grain) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g.refs++
}

// release gives a grain back; with its last user its descriptors are closed.
func (t *table) release(g *grain) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.refs--; g.refs > 0 {
		return
	}
	if t.grains[g.id] == g {
		delete(t.grains, g.id)
	}
	if g.log != nil {
		g.log.close()
	}
	g.dir.close()
}

// lock waits for its turn to do something to the grain.
func (t *table) lock(ctx context.Context, g *grain) error {
	select {
	case g.ops <- struct{}{}:
	case <-ctx.Done():
		return sandstorm.Errorf(sandstorm.Unavailable, "grain.busy", "grain %s is busy: %w", g.id, context.Cause(ctx))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.deleted {
		g.unlock()
		return sandstorm.Errorf(sandstorm.NotFound, "grain.no-storage", "grain %s was deleted", g.id)
	}
	return nil
}

func (g *grain) unlock() { <-g.ops }

// running returns the grain's run, or nil.
func (t *table) running(g *grain) *run {
	t.mu.Lock()
	defer t.mu.Unlock()
	return g.run
}

// setRun enters or removes a run.
func (t *table) setRun(g *grain, r *run) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g.run = r
}

// logOf opens the grain's log if it is not open yet. It is closed with the
// grain's last user.
func (t *table) logOf(g *grain) (*grainLog, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.log == nil {
		l, err := openLog(g.dir)
		if err != nil {
			return nil, err
		}
		g.log = l
	}
	return g.log, nil
}

// forget makes later calls not find the grain any more.
func (t *table) forget(g *grain) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g.deleted = true
	if t.grains[g.id] == g {
		delete(t.grains, g.id)
	}
	if g.log != nil {
		g.log.end()
	}
}

// runs lists what runs now.
func (t *table) runs() []*run {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []*run
	for _, g := range t.grains {
		if g.run != nil {
			out = append(out, g.run)
		}
	}
	return out
}

// uses reports whether a grain runs from the package.
func (t *table) uses(id sandstorm.PackageID) bool {
	for _, r := range t.runs() {
		if r.status.Package == id {
			return true
		}
	}
	return false
}
