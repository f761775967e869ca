package grain_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/grain"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/hosttest"
	"github.com/sandstorm-go/sandstorm/internal/notify"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// fixture is a manager over a real store and a host without sandboxes.
type fixture struct {
	t     *testing.T
	m     *grain.Manager
	host  *hosttest.Host
	store *store.Store
	pkg   sandstorm.Package
	alice *sandstorm.Account
	bob   *sandstorm.Account
	clock *clock

	devMu    sync.Mutex
	dev      *sandstorm.Package // under development, if any
	revision string
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	ctx := t.Context()
	st, err := store.Open(ctx, store.Options{DataDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	f := &fixture{t: t, store: st, clock: &clock{now: time.Now()}}
	f.host = hosttest.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("X-Sandstorm-Permissions"))
	}))
	_, f.pkg = f.host.Add(sandstorm.AppIDFromKey([32]byte{1}), "Notes", 3)
	if err := st.PutPackage(ctx, &f.pkg, nil); err != nil {
		t.Fatal(err)
	}
	f.alice, f.bob = f.account("Alice"), f.account("Bob")
	f.m = f.manager()
	return f
}

func (f *fixture) manager() *grain.Manager { return f.managerOf(f.host) }

func (f *fixture) managerOf(h host.Client) *grain.Manager {
	return grain.New(grain.Options{
		Store: f.store, Host: h, Notify: &notify.Hub{}, Log: slog.New(slog.DiscardHandler),
		SessionURL: func(h sandstorm.HostID) string { return "http://ui-" + string(h) + ".example.test" },
		Now:        f.clock.Now,
		Dev: func(app sandstorm.AppID) (*sandstorm.Package, string) {
			f.devMu.Lock()
			defer f.devMu.Unlock()
			if f.dev == nil || f.dev.AppID != app {
				return nil, ""
			}
			return f.dev, f.revision
		},
	})
}

func (f *fixture) account(name string) *sandstorm.Account {
	f.t.Helper()
	a := store.Account{Account: sandstorm.Account{
		ID: sandstorm.NewAccountID(), Role: sandstorm.RoleUser, Created: f.clock.Now(), LastActive: f.clock.Now(),
		Profile: sandstorm.Profile{Name: name, Handle: "u", Pronoun: sandstorm.PronounNeutral},
		Login:   sandstorm.LoginID("login-of-" + name),
	}, MemberBy: "command"}
	if err := f.store.InsertAccount(f.t.Context(), &a, nil); err != nil {
		f.t.Fatal(err)
	}
	f.signIn(&a.Account)
	return &a.Account
}

// signIn begins the browser session that the account's Login names.
func (f *fixture) signIn(a *sandstorm.Account) {
	f.t.Helper()
	now := f.clock.Now()
	if err := f.store.InsertBrowserSession(f.t.Context(), &store.BrowserSession{
		Login: a.Login, Account: a.ID, Created: now, LastUsed: now, Expires: time.Now().Add(1000 * time.Hour),
	}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) create(title string) *sandstorm.Grain {
	f.t.Helper()
	g, err := f.m.Create(f.t.Context(), f.alice, f.pkg.ID, 0, title)
	if err != nil {
		f.t.Fatal(err)
	}
	return g
}

func (f *fixture) open(id sandstorm.GrainID) sandstorm.HostID {
	f.t.Helper()
	secret, err := f.m.Open(f.t.Context(), f.alice, id)
	if err != nil {
		f.t.Fatal(err)
	}
	return secret.HostID()
}

func (f *fixture) visit(h sandstorm.HostID) (*grain.Visit, error) {
	return f.m.Visit(f.t.Context(), h)
}

func wantKind(t *testing.T, what string, err error, kind sandstorm.Kind) {
	t.Helper()
	if !sandstorm.IsKind(err, kind) {
		t.Errorf("%s: err = %v, want kind %v", what, err, kind)
	}
}

func TestFirstStartThenContinue(t *testing.T) {
	f := newFixture(t)
	g := f.create("One")
	h := f.open(g.ID)
	if f.host.StartCount() != 0 {
		t.Fatal("the grain started before anybody visited it")
	}
	v, err := f.visit(h)
	if err != nil {
		t.Fatal(err)
	}
	if v.Session.UserID != g.IdentityID[:32] || len(v.Session.Permissions) != 2 {
		t.Errorf("session: %+v", v.Session)
	}
	if err := f.m.Restart(t.Context(), f.alice, g.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.visit(h); err != nil {
		t.Fatal(err)
	}
	if a, b := f.host.Starts[0], f.host.Starts[1]; a.Action != 0 || b.Action != host.ActionContinue || b.Lease.Epoch <= a.Lease.Epoch {
		t.Errorf("starts: %+v then %+v", a, b)
	}
}

func TestOneStartForManyVisitors(t *testing.T) {
	f := newFixture(t)
	h := f.open(f.create("One").ID)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := f.visit(h); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := f.host.StartCount(); n != 1 {
		t.Errorf("%d starts", n)
	}
}

func TestOthersFindNothing(t *testing.T) {
	f := newFixture(t)
	g := f.create("Secret")
	h := f.open(g.ID)
	ctx := t.Context()
	_, err := f.m.Open(ctx, f.bob, g.ID)
	wantKind(t, "open", err, sandstorm.NotFound)
	_, err = f.m.Get(ctx, f.bob, g.ID)
	wantKind(t, "get", err, sandstorm.NotFound)
	wantKind(t, "rename", f.m.Rename(ctx, f.bob, g.ID, "x"), sandstorm.NotFound)
	wantKind(t, "trash", f.m.Trash(ctx, f.bob, g.ID), sandstorm.NotFound)
	wantKind(t, "restart", f.m.Restart(ctx, f.bob, g.ID), sandstorm.NotFound)
	_, err = f.m.Log(ctx, f.bob, g.ID, 1, false)
	wantKind(t, "log", err, sandstorm.NotFound)
	_, err = f.m.KeepAlive(ctx, f.bob, h)
	wantKind(t, "keep alive", err, sandstorm.NotFound)
	if rows, _ := f.m.List(ctx, f.bob, grain.Query{}); len(rows) != 0 {
		t.Errorf("bob's list: %+v", rows)
	}
}

func TestVisitorsMayNotCreate(t *testing.T) {
	f := newFixture(t)
	visitor := *f.bob
	visitor.Role = sandstorm.RoleVisitor
	_, err := f.m.Create(t.Context(), &visitor, f.pkg.ID, 0, "x")
	wantKind(t, "create", err, sandstorm.Denied)
}

func TestCreateRefusesNonsense(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		name   string
		pkg    sandstorm.PackageID
		action int
		title  string
		kind   sandstorm.Kind
	}{
		{"unknown package", "00000000000000000000000000000000", 0, "x", sandstorm.NotFound},
		{"unknown action", f.pkg.ID, 7, "x", sandstorm.NotFound},
		{"the continue command", f.pkg.ID, host.ActionContinue, "x", sandstorm.NotFound},
		{"blank title", f.pkg.ID, 0, " ", sandstorm.Invalid},
		{"control characters", f.pkg.ID, 0, "a\nb", sandstorm.Invalid},
	} {
		_, err := f.m.Create(t.Context(), f.alice, tt.pkg, tt.action, tt.title)
		wantKind(t, tt.name, err, tt.kind)
	}
	if rows, _ := f.m.List(t.Context(), f.alice, grain.Query{}); len(rows) != 0 {
		t.Errorf("something stayed: %+v", rows)
	}
}

func TestTrashEndsEverything(t *testing.T) {
	f := newFixture(t)
	g := f.create("Old")
	h := f.open(g.ID)
	if _, err := f.visit(h); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	wantKind(t, "delete outside the trash", f.m.Delete(ctx, f.alice, g.ID), sandstorm.Conflict)
	if err := f.m.Trash(ctx, f.alice, g.ID); err != nil {
		t.Fatal(err)
	}
	_, err := f.visit(h)
	wantKind(t, "visit", err, sandstorm.NotFound)
	_, err = f.m.Open(ctx, f.alice, g.ID)
	wantKind(t, "open", err, sandstorm.Conflict)
	wantKind(t, "start", f.m.Start(ctx, f.alice, g.ID), sandstorm.Conflict)
	if running, _ := f.host.Grains(ctx); len(running) != 0 {
		t.Error("the grain still runs")
	}
	if err := f.m.Restore(ctx, f.alice, g.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.visit(f.open(g.ID)); err != nil {
		t.Errorf("after restore: %v", err)
	}
	if err := f.m.Trash(ctx, f.alice, g.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.m.Delete(ctx, f.alice, g.ID); err != nil {
		t.Fatal(err)
	}
	_, err = f.m.Get(ctx, f.alice, g.ID)
	wantKind(t, "get", err, sandstorm.NotFound)
	if f.host.Exists(g.ID) {
		t.Error("its storage is still there")
	}
}

func TestSignOutEndsItsSessionsOnly(t *testing.T) {
	f := newFixture(t)
	g := f.create("One")
	h := f.open(g.ID)
	other := *f.alice
	other.Login = "another-browser"
	f.signIn(&other)
	secret, err := f.m.Open(t.Context(), &other, g.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.visit(h); err != nil {
		t.Fatal(err)
	}
	if err := f.m.EndSessions(t.Context(), f.alice.Login); err != nil {
		t.Fatal(err)
	}
	_, err = f.visit(h)
	wantKind(t, "the signed-out browser", err, sandstorm.NotFound)
	if _, err := f.visit(secret.HostID()); err != nil {
		t.Errorf("the other browser: %v", err)
	}
}

func TestUnusedSessionsEnd(t *testing.T) {
	f := newFixture(t)
	h := f.open(f.create("One").ID)
	f.clock.Advance(23 * time.Hour)
	if _, err := f.visit(h); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(25 * time.Hour)
	_, err := f.visit(h)
	wantKind(t, "after a day", err, sandstorm.NotFound)
}

func TestStartErrorsAreNotRemembered(t *testing.T) {
	f := newFixture(t)
	h := f.open(f.create("One").ID)
	cause := &host.StartError{Step: "mount /var", Errno: "ENOSPC"}
	f.host.FailStarts(&sandstorm.Error{Kind: sandstorm.Unavailable, Key: "grain.start-failed", Err: cause})
	_, err := f.visit(h)
	wantKind(t, "first", err, sandstorm.Unavailable)
	f.host.FailStarts(nil)
	if _, err := f.visit(h); err != nil {
		t.Errorf("second: %v", err)
	}
	// The first start never ran the action's command: it must still come.
	if last := f.host.Starts[len(f.host.Starts)-1]; last.Action != 0 {
		t.Errorf("started with %d", last.Action)
	}
}

func TestBackground(t *testing.T) {
	t.Run("crash is shown, and a loop is slowed down", func(t *testing.T) { background(t, testCrashLoop) })
	t.Run("idle grains stop, open pages count", func(t *testing.T) { background(t, testIdle) })
	t.Run("a new server adopts what runs", func(t *testing.T) { background(t, testAdopt) })
}

func background(t *testing.T, test func(*fixture)) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); f.m.Run(ctx) }()
	test(f)
	cancel()
	<-done
}

// eventually waits for what another goroutine brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func testCrashLoop(f *fixture) {
	t := f.t
	g := f.create("One")
	h := f.open(g.ID)
	for range 3 {
		if _, err := f.visit(h); err != nil {
			t.Fatal(err)
		}
		f.host.Crash(g.ID, 7)
		eventually(t, "the page learns of the crash", func() bool {
			health, err := f.m.KeepAlive(t.Context(), f.alice, h)
			return err == nil && health.Crash == "grain.exited" && health.Detail == "exit status 7"
		})
	}
	_, err := f.visit(h)
	wantKind(t, "fourth start", err, sandstorm.Unavailable)
	if n := f.host.StartCount(); n != 3 {
		t.Errorf("%d starts", n)
	}
	f.clock.Advance(time.Minute)
	if _, err := f.visit(h); err != nil {
		t.Errorf("after a pause: %v", err)
	}
}

func testIdle(f *fixture) {
	t := f.t
	watched, closed := f.create("Open in a tab"), f.create("Closed")
	h, h2 := f.open(watched.ID), f.open(closed.ID)
	for _, host := range []sandstorm.HostID{h, h2} {
		if _, err := f.visit(host); err != nil {
			t.Fatal(err)
		}
	}
	f.clock.Advance(3 * time.Minute)
	if _, err := f.m.KeepAlive(t.Context(), f.alice, h); err != nil {
		t.Fatal(err)
	}
	grain.StopIdleForTest(f.m, t.Context())
	running, _ := f.host.Grains(t.Context())
	if len(running) != 1 || running[0].Grain != watched.ID {
		t.Errorf("running: %+v, want only the one with an open page", running)
	}
}

func testAdopt(f *fixture) {
	t := f.t
	kept, gone := f.create("Kept"), f.create("Gone")
	h := f.open(kept.ID)
	for _, host := range []sandstorm.HostID{h, f.open(gone.ID)} {
		if _, err := f.visit(host); err != nil {
			t.Fatal(err)
		}
	}
	now := f.clock.Now()
	if err := f.store.SetGrainTrashed(t.Context(), []sandstorm.GrainID{gone.ID}, &now); err != nil {
		t.Fatal(err)
	}
	f.m = f.manager() // the first one was killed
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := f.m.Adopt(ctx); err != nil { // as a server does before the first visit
		t.Fatal(err)
	}
	go f.m.Run(ctx)
	eventually(t, "only the grain outside the trash runs", func() bool {
		running, _ := f.host.Grains(t.Context())
		return len(running) == 1 && running[0].Grain == kept.ID
	})
	starts := f.host.StartCount()
	eventually(t, "the session works with the new server", func() bool {
		_, err := f.visit(h)
		return err == nil
	})
	if f.host.StartCount() != starts {
		t.Error("a running grain was started again")
	}
}
