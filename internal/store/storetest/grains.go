package storetest

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

var base = time.Date(2026, 11, 22, 9, 30, 0, 123e6, time.UTC)

func newGrain(owner sandstorm.AccountID, p *sandstorm.Package) *sandstorm.Grain {
	return &sandstorm.Grain{
		ID: sandstorm.NewGrainID(), Title: "Notes — 笔记", Package: p.ID, AppID: p.AppID, AppVersion: p.Manifest.AppVersion,
		Owner: owner, IdentityID: strings.Repeat("ab", 32), Created: base, LastUsed: base, Action: 2,
	}
}

func addGrain(t *testing.T, s *store.Store) *sandstorm.Grain {
	t.Helper()
	g := newGrain(AddAccount(t, s, "alice"), AddPackage(t, s, 1, 1))
	ok(t, s.InsertGrain(t.Context(), g))
	return g
}

func testGrains(t *testing.T, s *store.Store) {
	ctx := t.Context()
	g := addGrain(t, s)
	if diff := cmp.Diff(g, must(s.Grain(ctx, g.ID))(t)); diff != "" {
		t.Error(diff)
	}
	wantKind(t, s.InsertGrain(ctx, g), sandstorm.Conflict)
	second := newGrain(g.Owner, &sandstorm.Package{ID: g.Package, AppID: g.AppID})
	second.LastUsed = base.Add(time.Hour)
	ok(t, s.InsertGrain(ctx, second))

	ok(t, s.RenameGrain(ctx, g.ID, "Ärger"))
	ok(t, s.SetGrainStarted(ctx, g.ID))
	ok(t, s.SetGrainSize(ctx, g.ID, 1<<40))
	ok(t, s.TouchGrain(ctx, g.ID, base.Add(2*time.Hour)))
	ok(t, s.TouchGrain(ctx, g.ID, base.Add(time.Hour)))
	g.Title, g.Started, g.Size, g.LastUsed = "Ärger", true, 1<<40, base.Add(2*time.Hour)
	if diff := cmp.Diff([]*sandstorm.Grain{g, second}, must(s.Grains(ctx, g.Owner, false))(t)); diff != "" {
		t.Error(diff)
	}
	if n := must(s.GrainCounts(ctx, g.Owner))(t)[g.AppID]; n != 2 {
		t.Errorf("%d grains of the app, want 2", n)
	}

	testTrash(t, s, g)

	ok(t, s.DeleteGrain(ctx, g.ID))
	wantKind(t, s.DeleteGrain(ctx, g.ID), sandstorm.NotFound)
	if all := must(s.AllGrains(ctx))(t); len(all) != 1 || all[0].ID != second.ID {
		t.Errorf("after deletion: %v", all)
	}
}

func testTrash(t *testing.T, s *store.Store, g *sandstorm.Grain) {
	ctx := t.Context()
	at, later := base.Add(3*time.Hour), base.Add(4*time.Hour)
	wantKind(t, s.SetGrainTrashed(ctx, []sandstorm.GrainID{g.ID, "unknowngrain"}, &at), sandstorm.NotFound)
	if must(s.Grain(ctx, g.ID))(t).Trashed != nil {
		t.Error("one of two grains went into the trash")
	}
	ok(t, s.SetGrainTrashed(ctx, []sandstorm.GrainID{g.ID}, &at))
	ok(t, s.SetGrainTrashed(ctx, []sandstorm.GrainID{g.ID}, &later)) // keeps its time
	if trash := must(s.Grains(ctx, g.Owner, true))(t); len(trash) != 1 || !trash[0].Trashed.Equal(at) {
		t.Errorf("the trash holds %v", trash)
	}
	if rest := must(s.Grains(ctx, g.Owner, false))(t); len(rest) != 1 {
		t.Errorf("%d grains outside the trash, want 1", len(rest))
	}
	if n := len(must(s.GrainsTrashedBefore(ctx, at))(t)); n != 0 {
		t.Errorf("%d grains trashed before", n)
	}
	if n := len(must(s.GrainsTrashedBefore(ctx, later))(t)); n != 1 {
		t.Errorf("%d grains trashed before, want 1", n)
	}
	ok(t, s.SetGrainTrashed(ctx, []sandstorm.GrainID{g.ID}, nil))
	if must(s.Grain(ctx, g.ID))(t).Trashed != nil {
		t.Error("the grain is still in the trash")
	}
}

func testGrainsOfUnknown(t *testing.T, s *store.Store) {
	ctx := t.Context()
	_, err := s.Grain(ctx, "unknowngrain")
	wantKind(t, err, sandstorm.NotFound)
	for _, err := range []error{
		s.RenameGrain(ctx, "unknowngrain", "x"), s.SetGrainStarted(ctx, "unknowngrain"), s.SetGrainSize(ctx, "unknowngrain", 1),
		s.TouchGrain(ctx, "unknowngrain", base), s.SetGrainPackage(ctx, "unknowngrain", "x"),
		s.InsertGrain(ctx, newGrain(AddAccount(t, s, "a"), &sandstorm.Package{ID: "0123456789abcdef0123456789abcdef"})),
		s.InsertGrain(ctx, newGrain("nobody", AddPackage(t, s, 1, 1))),
	} {
		wantKind(t, err, sandstorm.NotFound)
	}
}

func testGrainPackage(t *testing.T, s *store.Store) {
	ctx := t.Context()
	g := addGrain(t, s)
	newer, other := AddPackage(t, s, 1, 7), AddPackage(t, s, 2, 1)
	wantKind(t, s.SetGrainPackage(ctx, g.ID, other.ID), sandstorm.Invalid)
	wantKind(t, s.SetGrainPackage(ctx, g.ID, "0123456789abcdef0123456789abcdef"), sandstorm.NotFound)
	ok(t, s.SetGrainPackage(ctx, g.ID, newer.ID))
	if got := must(s.Grain(ctx, g.ID))(t); got.Package != newer.ID || got.AppVersion != 7 {
		t.Errorf("grain has package %s version %d", got.Package, got.AppVersion)
	}
}

func testGrainSessions(t *testing.T, s *store.Store) {
	ctx := t.Context()
	g := addGrain(t, s)
	open := func(who sandstorm.AccountID, used time.Time) *sandstorm.GrainSession {
		id := sandstorm.NewSessionID()
		gs := &sandstorm.GrainSession{Host: id.HostID(), Tab: id.TabID(), Grain: g.ID, Account: who, Created: base, LastUsed: used}
		ok(t, s.InsertGrainSession(ctx, gs))
		return gs
	}
	a, b, anonymous := open(g.Owner, base), open(g.Owner, base.Add(time.Minute)), open("", base.Add(time.Hour))
	for _, gs := range []*sandstorm.GrainSession{a, anonymous} {
		if diff := cmp.Diff(gs, must(s.GrainSession(ctx, gs.Host))(t)); diff != "" {
			t.Error(diff)
		}
	}
	wantKind(t, s.InsertGrainSession(ctx, a), sandstorm.Conflict)
	late := *a // its browser signed out meanwhile
	late.Host, late.Login = "00000000000000000000000000000000", "ended"
	wantKind(t, s.InsertGrainSession(ctx, &late), sandstorm.Denied)
	lost := *a
	lost.Host, lost.Grain = "00000000000000000000000000000000", "unknowngrain"
	wantKind(t, s.InsertGrainSession(ctx, &lost), sandstorm.NotFound)
	_, err := s.GrainSession(ctx, lost.Host)
	wantKind(t, err, sandstorm.NotFound)

	ok(t, s.TouchGrainSession(ctx, a.Host, base.Add(2*time.Hour)))
	wantKind(t, s.TouchGrainSession(ctx, lost.Host, base), sandstorm.NotFound)
	if all := must(s.GrainSessions(ctx, g.ID))(t); len(all) != 3 || all[0].Host != a.Host {
		t.Errorf("sessions: %v", all)
	}
	if gone := must(s.DeleteGrainSessionsBefore(ctx, base.Add(time.Hour)))(t); len(gone) != 1 || gone[0] != b.Host {
		t.Errorf("ended %v, want only %v", gone, b.Host)
	}
	login := addBrowser(t, s, g.Owner, "", "l").Login
	byLogin := openThrough(t, s, g, login)
	if gone := must(s.DeleteGrainSessionsOfLogin(ctx, ""))(t); len(gone) != 0 {
		t.Errorf("ended %v, want none: they have no sign-in in common", gone)
	}
	if gone := must(s.DeleteGrainSessionsOfLogin(ctx, login))(t); len(gone) != 1 || gone[0] != byLogin {
		t.Errorf("ended %v, want only %v", gone, byLogin)
	}
	ok(t, s.DeleteGrainSession(ctx, a.Host))
	if gone := must(s.DeleteGrainSessions(ctx, g.ID))(t); len(gone) != 1 || gone[0] != anonymous.Host {
		t.Errorf("ended %v, want only %v", gone, anonymous.Host)
	}
	c, d := open(g.Owner, base), open(g.Owner, base)
	ok(t, s.DeleteGrainSession(ctx, c.Host))
	ok(t, s.DeleteGrainSession(ctx, c.Host))
	ok(t, s.DeleteGrain(ctx, g.ID))
	_, err = s.GrainSession(ctx, d.Host)
	wantKind(t, err, sandstorm.NotFound)
}

func testLeases(t *testing.T, s *store.Store) {
	ctx := t.Context()
	g := addGrain(t, s)
	if e := must(s.Lease(ctx, g.ID))(t); e != 0 {
		t.Errorf("epoch %d before the first claim", e)
	}
	for want := int64(1); want <= 3; want++ {
		if e := must(s.ClaimLease(ctx, g.ID))(t); e != want {
			t.Errorf("claimed epoch %d, want %d", e, want)
		}
	}
	ok(t, s.DeleteGrain(ctx, g.ID))
	if e := must(s.ClaimLease(ctx, g.ID))(t); e != 4 {
		t.Errorf("claimed epoch %d after deletion, want 4: an epoch never goes down", e)
	}
	if e := must(s.Lease(ctx, g.ID))(t); e != 4 {
		t.Errorf("epoch %d, want 4", e)
	}
}

// Two servers that claim at the same time must never get the same epoch.
func testLeasesConcurrent(t *testing.T, s *store.Store) {
	const workers, claims = 8, 10
	var mu sync.Mutex
	seen := map[int64]int{}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range claims {
				e, err := s.ClaimLease(t.Context(), "contested")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[e]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for e := int64(1); e <= workers*claims; e++ {
		if seen[e] != 1 {
			t.Errorf("epoch %d was given out %d times", e, seen[e])
		}
	}
}
