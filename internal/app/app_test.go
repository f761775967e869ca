package app_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/host/hosttest"
	"github.com/sandstorm-go/sandstorm/internal/notify"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

type fixture struct {
	t     *testing.T
	s     *app.Service
	opts  app.Options
	host  *hosttest.Host
	store *store.Store
	alice *sandstorm.Account
	bob   *sandstorm.Account
	now   time.Time
}

var notesID = sandstorm.AppIDFromKey([32]byte{1})

func newFixture(t *testing.T) *fixture {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	f := &fixture{t: t, store: st, host: hosttest.New(http.NotFoundHandler()), now: time.Now()}
	f.alice, f.bob = f.account(), f.account()
	f.opts = app.Options{
		Store: st, Host: f.host, Notify: &notify.Hub{}, Log: slog.New(slog.DiscardHandler),
		Fetch: http.DefaultClient, Now: func() time.Time { return f.now },
	}
	f.s = app.New(f.opts)
	return f
}

func (f *fixture) account() *sandstorm.Account {
	f.t.Helper()
	a := store.Account{Account: sandstorm.Account{
		ID: sandstorm.NewAccountID(), Role: sandstorm.RoleUser, Created: f.now, LastActive: f.now,
		Profile: sandstorm.Profile{Name: "A", Handle: "a", Pronoun: sandstorm.PronounNeutral},
	}}
	if err := f.store.InsertAccount(f.t.Context(), &a, nil); err != nil {
		f.t.Fatal(err)
	}
	return &a.Account
}

func wantKind(t *testing.T, what string, err error, kind sandstorm.Kind) {
	t.Helper()
	if !sandstorm.IsKind(err, kind) {
		t.Errorf("%s: err = %v, want kind %v", what, err, kind)
	}
}

func titles(apps []app.App) string {
	var out []string
	for _, a := range apps {
		out = append(out, a.Package.Manifest.AppTitle.Default)
	}
	return strings.Join(out, ",")
}

func TestUploadConfirmUninstall(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	spk, pkg := f.host.Add(notesID, "Notes", 1)
	a, err := f.s.Upload(ctx, f.alice, strings.NewReader(spk), int64(len(spk)))
	if err != nil || a.State != app.StateReady || a.Package != pkg.ID {
		t.Fatalf("attempt %+v, %v", a, err)
	}
	if apps, _ := f.s.List(ctx, f.alice); len(apps) != 0 {
		t.Error("an upload alone put the app on the list")
	}
	if _, err := f.s.Confirm(ctx, f.alice, pkg.ID); err != nil {
		t.Fatal(err)
	}
	if apps, _ := f.s.List(ctx, f.alice); titles(apps) != "Notes" {
		t.Errorf("alice's list: %s", titles(apps))
	}
	if apps, _ := f.s.List(ctx, f.bob); len(apps) != 0 {
		t.Errorf("bob's list: %s", titles(apps))
	}
	if err := f.s.Uninstall(ctx, f.alice, notesID); err != nil {
		t.Fatal(err)
	}
	if apps, _ := f.s.List(ctx, f.alice); len(apps) != 0 {
		t.Errorf("after uninstall: %s", titles(apps))
	}
}

func TestVisitorsMayNotInstall(t *testing.T) {
	f := newFixture(t)
	f.alice.Role = sandstorm.RoleVisitor
	_, err := f.s.Upload(t.Context(), f.alice, strings.NewReader("x"), 1)
	wantKind(t, "upload", err, sandstorm.Denied)
	_, err = f.s.Download(t.Context(), f.alice, "https://example.test/x.spk", "")
	wantKind(t, "download", err, sandstorm.Denied)
	_, err = f.s.Confirm(t.Context(), f.alice, "00000000000000000000000000000000")
	wantKind(t, "confirm", err, sandstorm.Denied)
}

func (f *fixture) finished(who *sandstorm.Account, id string) *app.Attempt {
	f.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		a, err := f.s.Attempt(f.t.Context(), who, id)
		if err != nil {
			f.t.Fatal(err)
		}
		if a.State != app.StateDownloading && a.State != app.StateVerifying {
			return a
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("attempt goes on: %+v", a)
		}
	}
}

func TestDownload(t *testing.T) {
	f := newFixture(t)
	spk, pkg := f.host.Add(notesID, "Notes", 1)
	hang := make(chan struct{})
	defer close(hang)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/notes.spk":
			w.Write([]byte(spk))
		case "/other.spk":
			w.Write([]byte("something else"))
		case "/hang.spk":
			w.(http.Flusher).Flush()
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		default:
			http.NotFound(w, r)
		}
	}))
	defer web.Close()
	for _, tt := range []struct {
		name, path string
		want       sandstorm.PackageID
		state      string
	}{
		{"good", "/notes.spk", pkg.ID, app.StateReady},
		{"good, any package", "/notes.spk", "", app.StateReady},
		{"another package than asked for", "/notes.spk", "ffffffffffffffffffffffffffffffff", app.StateFailed},
		{"no package", "/other.spk", "", app.StateFailed},
		{"not found", "/missing.spk", "", app.StateFailed},
	} {
		a, err := f.s.Download(t.Context(), f.alice, web.URL+tt.path, tt.want)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if a = f.finished(f.alice, a.ID); a.State != tt.state || (a.Err != nil) != (tt.state == app.StateFailed) {
			t.Errorf("%s: %+v", tt.name, a)
		}
	}

	a, err := f.s.Download(t.Context(), f.alice, web.URL+"/hang.spk", "")
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, "cancel by another", f.s.Cancel(t.Context(), f.bob, a.ID), sandstorm.NotFound)
	_, err = f.s.Attempt(t.Context(), f.bob, a.ID)
	wantKind(t, "look by another", err, sandstorm.NotFound)
	if err := f.s.Cancel(t.Context(), f.alice, a.ID); err != nil {
		t.Fatal(err)
	}
	if a = f.finished(f.alice, a.ID); a.State != app.StateCanceled {
		t.Errorf("canceled: %+v", a)
	}
}

func TestBadAddresses(t *testing.T) {
	f := newFixture(t)
	for _, address := range []string{"", "notes.spk", "ftp://x/y", "file:///etc/passwd", "http://", "http://u:p@host/", "https://x/" + strings.Repeat("a", 3000)} {
		_, err := f.s.Download(t.Context(), f.alice, address, "")
		wantKind(t, address, err, sandstorm.Invalid)
	}
}

func TestForEverybody(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	spk, _ := f.host.Add(notesID, "Notes", 1)
	if _, err := f.s.InstallFile(ctx, strings.NewReader(spk)); err != nil {
		t.Fatal(err)
	}
	carol := f.account()
	if err := f.s.Welcome(ctx, carol.ID); err != nil {
		t.Fatal(err)
	}
	for _, who := range []*sandstorm.Account{f.alice, f.bob, carol} {
		if apps, _ := f.s.List(ctx, who); titles(apps) != "Notes" {
			t.Errorf("list: %q", titles(apps))
		}
	}
}

func TestTidyKeepsWhatIsUsed(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	used, usedPkg := f.host.Add(notesID, "Notes", 1)
	unused, unusedPkg := f.host.Add(sandstorm.AppIDFromKey([32]byte{2}), "Other", 1)
	for _, spk := range []string{used, unused} {
		if _, err := f.s.Upload(ctx, f.alice, strings.NewReader(spk), -1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.s.Confirm(ctx, f.alice, usedPkg.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.s.Tidy(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.Package(ctx, unusedPkg.ID); err != nil {
		t.Errorf("a fresh upload was removed: %v", err)
	}
	f.now = f.now.Add(25 * time.Hour)
	if err := f.s.Tidy(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.Package(ctx, usedPkg.ID); err != nil {
		t.Errorf("a used package was removed: %v", err)
	}
	_, err := f.store.Package(ctx, unusedPkg.ID)
	wantKind(t, "unused", err, sandstorm.NotFound)
	if _, ok := f.host.Packages[unusedPkg.ID]; ok {
		t.Error("the unused package's files stayed")
	}
}

// A download that stalls shows how far it came.
func TestProgressOfStalledDownload(t *testing.T) {
	f := newFixture(t)
	stalled := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "2000000")
		w.Write(make([]byte, 1_000_000))
		http.NewResponseController(w).Flush()
		select {
		case <-stalled:
		case <-r.Context().Done():
		}
	}))
	defer web.Close()
	defer close(stalled)
	a, err := f.s.Download(t.Context(), f.alice, web.URL+"/x.spk", "")
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); a.Received != 1_000_000; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes of %d", a.Received, a.Total)
		}
		if a, err = f.s.Attempt(t.Context(), f.alice, a.ID); err != nil {
			t.Fatal(err)
		}
	}
	if a.State != app.StateDownloading || a.Total != 2_000_000 {
		t.Errorf("%+v", a)
	}
	if err := f.s.Cancel(t.Context(), f.alice, a.ID); err != nil {
		t.Fatal(err)
	}
}
