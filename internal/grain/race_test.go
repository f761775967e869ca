package grain_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/grain"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/hosttest"
)

// A request that looks its session up while its browser signs out must not
// bring the session back to life in memory.
func TestSignOutWinsOverRequests(t *testing.T) {
	f := newFixture(t)
	g := f.create("One")
	for range 150 {
		h := f.open(g.ID)
		var requests sync.WaitGroup
		for range 4 {
			requests.Go(func() { _, _ = f.visit(h) })
		}
		if err := f.m.EndSessions(t.Context(), f.alice.Login); err != nil {
			t.Fatal(err)
		}
		requests.Wait()
		if _, err := f.visit(h); !sandstorm.IsKind(err, sandstorm.NotFound) {
			t.Fatalf("after signing out: %v", err)
		}
	}
}

// The page that opens a grain may be under way when its browser signs out.
func TestNothingOpensThroughAnEndedLogin(t *testing.T) {
	f := newFixture(t)
	g := f.create("One")
	if err := f.store.DeleteBrowserSession(t.Context(), f.alice.Login); err != nil {
		t.Fatal(err)
	}
	_, err := f.m.Open(t.Context(), f.alice, g.ID)
	wantKind(t, "open after signing out", err, sandstorm.Denied)
}

// A server that ends between the first start of a grain and the record of it
// must not run the command that makes a new document once more, over the old.
func TestFirstCommandRunsOnce(t *testing.T) {
	f := newFixture(t)
	g := f.create("One")
	if _, err := f.visit(f.open(g.ID)); err != nil {
		t.Fatal(err)
	}
	f.forgetStarted(g)
	f.m = f.manager() // the next server
	if err := f.m.Adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.m.Restart(t.Context(), f.alice, g.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.m.Start(t.Context(), f.alice, g.ID); err != nil {
		t.Fatal(err)
	}
	if n := len(f.host.Starts); n != 2 || f.host.Starts[1].Action != host.ActionContinue {
		t.Errorf("%d starts: %+v", n, f.host.Starts)
	}
}

// forgetStarted makes the grain's record one that says it never ran.
func (f *fixture) forgetStarted(g *sandstorm.Grain) {
	f.t.Helper()
	ctx := f.t.Context()
	again := *g
	if err := errors.Join(f.store.DeleteGrain(ctx, g.ID), f.store.InsertGrain(ctx, &again)); err != nil {
		f.t.Fatal(err)
	}
}

// Whoever takes a grain out of the trash keeps it, even in the moment in which
// its time is up.
func TestRestoredGrainIsNotPurged(t *testing.T) {
	f := newFixture(t)
	g := f.create("One")
	ctx := t.Context()
	if err := f.m.Trash(ctx, f.alice, g.ID); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(grain.TrashRetention + time.Hour)
	old, err := f.store.GrainsTrashedBefore(ctx, f.clock.Now().Add(-grain.TrashRetention))
	if err != nil || len(old) != 1 {
		t.Fatal(old, err)
	}
	// Between the list and the deletion …
	if err := f.m.Restore(ctx, f.alice, g.ID); err != nil {
		t.Fatal(err)
	}
	deadline := f.clock.Now().Add(-grain.TrashRetention)
	err = grain.PurgeForTest(f.m, ctx, g.ID, deadline)
	wantKind(t, "purge of a restored grain", err, sandstorm.Conflict)
	// … or in the trash once more.
	if err := f.m.Trash(ctx, f.alice, g.ID); err != nil {
		t.Fatal(err)
	}
	err = grain.PurgeForTest(f.m, ctx, g.ID, deadline)
	wantKind(t, "purge of a grain that is new in the trash", err, sandstorm.Conflict)
	if !f.host.Exists(g.ID) {
		t.Error("its storage is gone")
	}
}

// away is a host that can be out of reach.
type away struct {
	*hosttest.Host
	gone atomic.Bool
}

func (a *away) StopGrain(ctx context.Context, l host.Lease) error {
	if a.gone.Load() {
		return sandstorm.Errorf(sandstorm.Unavailable, "host.down", "gone")
	}
	return a.Host.StopGrain(ctx, l)
}

// A grain that goes into the trash while the host is away stops when the host
// is back.
func TestTrashWhileHostIsAway(t *testing.T) {
	f := newFixture(t)
	h := &away{Host: f.host}
	f.m = f.managerOf(h)
	g := f.create("One")
	if err := f.m.Start(t.Context(), f.alice, g.ID); err != nil {
		t.Fatal(err)
	}
	h.gone.Store(true)
	wantKind(t, "trash", f.m.Trash(t.Context(), f.alice, g.ID), sandstorm.Unavailable)
	h.gone.Store(false)
	if err := f.m.Adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	if running, err := f.host.Grains(t.Context()); err != nil || len(running) != 0 {
		t.Errorf("still running: %v, %v", running, err)
	}
}

// A session that was ended in the store only, by another process or in a race,
// does not live on in memory for as long as somebody uses it.
func TestSessionsEndedInTheStoreEnd(t *testing.T) {
	f := newFixture(t)
	g := f.create("One")
	gone, stays := f.open(g.ID), f.open(g.ID)
	for _, h := range []sandstorm.HostID{gone, stays} {
		if _, err := f.visit(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.store.DeleteGrainSession(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	grain.TidyForTest(f.m, t.Context())
	_, err := f.visit(gone)
	wantKind(t, "the ended session", err, sandstorm.NotFound)
	// Use without a page, which would tell of it, counts as well.
	for range 3 {
		f.clock.Advance(20 * time.Hour)
		if _, err := f.visit(stays); err != nil {
			t.Fatal(err)
		}
		grain.TidyForTest(f.m, t.Context())
	}
	f.m = f.manager()
	if err := f.m.Adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.visit(stays); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}
