package storetest

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

func email(who sandstorm.AccountID, address string) *sandstorm.Credential {
	return &sandstorm.Credential{
		ID: sandstorm.NewCredentialID("email", address), Account: who,
		Service: "email", Subject: address, Email: address, Created: base,
	}
}

func testAccounts(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a := &store.Account{
		Account: sandstorm.Account{
			ID: sandstorm.NewAccountID(), Created: base, LastActive: base, Language: "fi",
			Profile: sandstorm.Profile{Name: "Änne Ö.", Handle: "aenne", Pronoun: sandstorm.PronounFemale},
		},
		MemberBy: "command",
	}
	ok(t, s.InsertAccount(ctx, a, email(a.ID, "a@example.com")))
	if diff := cmp.Diff(a, must(s.Account(ctx, a.ID))(t)); diff != "" {
		t.Error(diff)
	}
	_, err := s.Account(ctx, "nobody")
	wantKind(t, err, sandstorm.NotFound)

	// A second account with the same credential leaves nothing behind.
	b := *a
	b.ID = sandstorm.NewAccountID()
	wantKind(t, s.InsertAccount(ctx, &b, email(b.ID, "a@example.com")), sandstorm.Conflict)
	if n := len(must(s.Accounts(ctx))(t)); n != 1 {
		t.Errorf("%d accounts, want 1", n)
	}

	a.Profile = sandstorm.Profile{Name: "Robot", Handle: "robot", Pronoun: sandstorm.PronounRobot}
	a.Language, a.Admin, a.MemberBy = "", true, "admin"
	ok(t, s.SetProfile(ctx, a.ID, a.Profile, ""))
	if must(s.HasAdmin(ctx))(t) {
		t.Error("there is an administrator already")
	}
	ok(t, s.SetAccountRights(ctx, a.ID, true, "admin"))
	if !must(s.HasAdmin(ctx))(t) {
		t.Error("there is no administrator")
	}
	if diff := cmp.Diff([]*store.Account{a}, must(s.Accounts(ctx))(t)); diff != "" {
		t.Error(diff)
	}
	ok(t, s.SetSuspended(ctx, a.ID, &base))
	if !must(s.Account(ctx, a.ID))(t).Suspended || must(s.HasAdmin(ctx))(t) {
		t.Error("a suspended account counts as an administrator")
	}
	ok(t, s.SetSuspended(ctx, a.ID, nil))
	for _, err := range []error{
		s.SetProfile(ctx, "nobody", a.Profile, ""), s.SetAccountRights(ctx, "nobody", true, ""), s.SetSuspended(ctx, "nobody", &base),
	} {
		wantKind(t, err, sandstorm.NotFound)
	}
}

func testPicture(t *testing.T, s *store.Store) {
	ctx := t.Context()
	alice, bob := AddAccount(t, s, "alice"), AddAccount(t, s, "bob")
	id := must(s.SetPicture(ctx, alice, png))(t)
	if got := must(s.Account(ctx, alice))(t).Profile.Picture; got != id {
		t.Errorf("picture %s, want %s", got, id)
	}
	must(s.SetPicture(ctx, bob, png))(t)
	must(s.SetPicture(ctx, alice, nil))(t)
	_, err := s.Asset(ctx, id) // bob still shows it
	ok(t, err)
	must(s.SetPicture(ctx, bob, nil))(t)
	_, err = s.Asset(ctx, id)
	wantKind(t, err, sandstorm.NotFound)
	_, err = s.SetPicture(ctx, "nobody", png)
	wantKind(t, err, sandstorm.NotFound)
}

func testCredentials(t *testing.T, s *store.Store) {
	ctx := t.Context()
	alice, bob := AddAccount(t, s, "alice"), AddAccount(t, s, "bob")
	first, second := email(alice, "Alice@Example.com"), email(alice, "alice@example.org")
	second.Created = base.Add(time.Hour)
	ok(t, s.InsertCredential(ctx, first))
	ok(t, s.InsertCredential(ctx, second))
	wantKind(t, s.InsertCredential(ctx, email(bob, "Alice@Example.com")), sandstorm.Conflict)
	wantKind(t, s.InsertCredential(ctx, email("nobody", "n@example.com")), sandstorm.NotFound)
	if diff := cmp.Diff([]sandstorm.Credential{*first, *second}, must(s.Credentials(ctx, alice))(t)); diff != "" {
		t.Error(diff)
	}
	if found := must(s.FindCredentials(ctx, "email", "aLICE@example.COM"))(t); len(found) != 1 || found[0].ID != first.ID {
		t.Errorf("found %v", found)
	}
	if found := must(s.FindCredentials(ctx, "dev", "alice@example.com"))(t); len(found) != 0 {
		t.Errorf("found %v of another service", found)
	}
	// Somebody else's credential cannot be detached (shell.md §2).
	wantKind(t, s.DeleteCredential(ctx, bob, first.ID), sandstorm.NotFound)
	ok(t, s.DeleteCredential(ctx, alice, first.ID))
	wantKind(t, s.DeleteCredential(ctx, alice, second.ID), sandstorm.Conflict)
	if n := len(must(s.Credentials(ctx, alice))(t)); n != 1 {
		t.Errorf("%d credentials are left, want 1", n)
	}
}

// Two requests that remove one credential each must not leave an account that
// nobody can sign in to.
func testLastCredentialRace(t *testing.T, s *store.Store) {
	for range 5 {
		who := AddAccount(t, s, "alice")
		creds := []*sandstorm.Credential{email(who, string(who)+"@a.example"), email(who, string(who)+"@b.example")}
		for _, c := range creds {
			ok(t, s.InsertCredential(t.Context(), c))
		}
		var wg sync.WaitGroup
		var conflicts atomic.Int32
		for _, c := range creds {
			wg.Go(func() {
				if err := s.DeleteCredential(t.Context(), who, c.ID); sandstorm.IsKind(err, sandstorm.Conflict) {
					conflicts.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := len(must(s.Credentials(t.Context(), who))(t)); n != 1 || conflicts.Load() != 1 {
			t.Errorf("%d credentials are left and %d requests were refused, want 1 and 1", n, conflicts.Load())
		}
	}
}

func addBrowser(t *testing.T, s *store.Store, who sandstorm.AccountID, cred sandstorm.CredentialID, name string) *store.BrowserSession {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	b := &store.BrowserSession{
		Login: sandstorm.LoginID(strings.Repeat(name, 64)), Account: who, Credential: cred,
		Created: now, LastUsed: now, Expires: now.Add(time.Hour),
	}
	ok(t, s.InsertBrowserSession(t.Context(), b))
	return b
}

func testBrowserSessions(t *testing.T, s *store.Store) {
	ctx := t.Context()
	g := addGrain(t, s)
	cred := email(g.Owner, "a@example.com")
	ok(t, s.InsertCredential(ctx, cred))
	ok(t, s.InsertCredential(ctx, email(g.Owner, "b@example.com")))
	a, b := addBrowser(t, s, g.Owner, cred.ID, "a"), addBrowser(t, s, g.Owner, "", "b")
	got, account, err := s.BrowserSession(ctx, a.Login)
	ok(t, err)
	if diff := cmp.Diff(a, got); diff != "" || account.ID != g.Owner || account.Profile.Name != "alice" {
		t.Errorf("account %+v\n%s", account, diff)
	}

	used := a.LastUsed.Add(time.Minute)
	ok(t, s.TouchBrowserSession(ctx, a.Login, used, used.Add(2*time.Hour)))
	ok(t, s.TouchBrowserSession(ctx, a.Login, used.Add(-time.Minute), used)) // late
	got, account, err = s.BrowserSession(ctx, a.Login)
	ok(t, err)
	if !got.LastUsed.Equal(used) || !got.Expires.Equal(used.Add(2*time.Hour)) || !account.LastActive.Equal(used) {
		t.Errorf("after a touch: %+v, account active %v", got, account.LastActive)
	}
	if all := must(s.BrowserSessions(ctx, g.Owner))(t); len(all) != 2 || all[0].Login != a.Login {
		t.Errorf("sessions: %v", all)
	}

	// What was opened through a sign-in ends with it.
	through := openThrough(t, s, g, a.Login)
	ok(t, s.DeleteBrowserSessions(ctx, g.Owner, a.Login)) // all others
	_, _, err = s.BrowserSession(ctx, b.Login)
	wantKind(t, err, sandstorm.NotFound)
	_, err = s.GrainSession(ctx, through)
	ok(t, err)
	ok(t, s.DeleteBrowserSession(ctx, a.Login))
	ok(t, s.DeleteBrowserSession(ctx, a.Login))
	_, err = s.GrainSession(ctx, through)
	wantKind(t, err, sandstorm.NotFound)

	c := addBrowser(t, s, g.Owner, cred.ID, "c")
	through = openThrough(t, s, g, c.Login)
	ok(t, s.DeleteCredential(ctx, g.Owner, cred.ID))
	_, _, err = s.BrowserSession(ctx, c.Login)
	wantKind(t, err, sandstorm.NotFound)
	_, err = s.GrainSession(ctx, through)
	wantKind(t, err, sandstorm.NotFound)

	dev := &sandstorm.Credential{ID: "dev", Account: g.Owner, Service: "dev", Subject: "alice", Created: base}
	ok(t, s.InsertCredential(ctx, dev))
	byDev, byOther := addBrowser(t, s, g.Owner, dev.ID, "7"), addBrowser(t, s, g.Owner, "", "8")
	through = openThrough(t, s, g, byDev.Login)
	ok(t, s.DeleteBrowserSessionsOfService(ctx, "dev"))
	_, _, err = s.BrowserSession(ctx, byDev.Login)
	wantKind(t, err, sandstorm.NotFound)
	_, err = s.GrainSession(ctx, through)
	wantKind(t, err, sandstorm.NotFound)
	_, _, err = s.BrowserSession(ctx, byOther.Login)
	ok(t, err)

	d := addBrowser(t, s, g.Owner, "", "d")
	through = openThrough(t, s, g, d.Login)
	ok(t, s.SetSuspended(ctx, g.Owner, &base))
	_, _, err = s.BrowserSession(ctx, d.Login)
	wantKind(t, err, sandstorm.NotFound)
	_, err = s.GrainSession(ctx, through)
	wantKind(t, err, sandstorm.NotFound)

	expired := *d
	expired.Login, expired.Expires = sandstorm.LoginID(strings.Repeat("e", 64)), time.Now().Add(-time.Second)
	ok(t, s.InsertBrowserSession(ctx, &expired))
	_, _, err = s.BrowserSession(ctx, expired.Login)
	wantKind(t, err, sandstorm.NotFound)
	expired.Login, expired.Account = sandstorm.LoginID(strings.Repeat("f", 64)), "nobody"
	wantKind(t, s.InsertBrowserSession(ctx, &expired), sandstorm.NotFound)
}

func openThrough(t *testing.T, s *store.Store, g *sandstorm.Grain, login sandstorm.LoginID) sandstorm.HostID {
	t.Helper()
	id := sandstorm.NewSessionID()
	ok(t, s.InsertGrainSession(t.Context(), &sandstorm.GrainSession{
		Host: id.HostID(), Tab: id.TabID(), Grain: g.ID, Account: g.Owner, Login: login, Created: base, LastUsed: base,
	}))
	return id.HostID()
}

func testLoginCodes(t *testing.T, s *store.Store) {
	ctx := t.Context()
	limits := store.CodeLimits{Since: base.Add(-time.Hour), Outstanding: 3, Attempts: 2}
	insert := func(digest, address string, at time.Time) error {
		return s.InsertLoginCode(ctx, &store.LoginCode{Digest: digest, Address: address, ReturnPath: "/shared/secret", Created: at}, limits)
	}
	ok(t, insert("old", "a@example.com", base.Add(-2*time.Hour)))
	ok(t, insert("d1", "A@example.com", base))
	ok(t, insert("d2", "a@Example.com", base))
	ok(t, insert("d3", "a@example.com", base))
	wantKind(t, insert("d4", "a@example.com", base), sandstorm.Exhausted)
	ok(t, insert("d5", "b@example.com", base))

	use := func(address, digest string) (*store.LoginCode, error) {
		return s.UseLoginCode(ctx, address, digest, limits)
	}
	for _, c := range []struct{ address, digest string }{
		{"a@example.com", "d5"},  // another address's code
		{"c@example.com", "d5"},  // nobody's
		{"a@example.com", "old"}, // too late
	} {
		_, err := use(c.address, c.digest)
		wantKind(t, err, sandstorm.Denied)
		if c.digest == "d5" && c.address == "a@example.com" {
			got := must(use("a@EXAMPLE.com", "d1"))(t)
			if got.Address != "A@example.com" || got.ReturnPath.Reveal() != "/shared/secret" || !got.Created.Equal(base) {
				t.Errorf("used %+v", got)
			}
		}
	}
	_, err := use("a@example.com", "d1") // twice; also the second wrong try
	wantKind(t, err, sandstorm.Denied)
	_, err = use("a@example.com", "d2") // dead after two wrong tries
	wantKind(t, err, sandstorm.Denied)
	must(use("b@example.com", "d5"))(t) // other addresses are not touched
	ok(t, insert("d6", "a@example.com", base))
	ok(t, s.DeleteLoginCode(ctx, "d6"))
	_, err = use("a@example.com", "d6")
	wantKind(t, err, sandstorm.Denied)
}

// One code must sign in only one of two browsers that send it at once.
func testLoginCodeRace(t *testing.T, s *store.Store) {
	limits := store.CodeLimits{Since: base.Add(-time.Hour), Outstanding: 3, Attempts: 100}
	ok(t, s.InsertLoginCode(t.Context(), &store.LoginCode{Digest: "d", Address: "a@example.com", Created: base}, limits))
	var wg sync.WaitGroup
	var in atomic.Int32
	for range 6 {
		wg.Go(func() {
			if _, err := s.UseLoginCode(t.Context(), "a@example.com", "d", limits); err == nil {
				in.Add(1)
			} else if !sandstorm.IsKind(err, sandstorm.Denied) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("the code was accepted %d times", in.Load())
	}
}

func testSettings(t *testing.T, s *store.Store) {
	ctx := t.Context()
	ok(t, s.PutSettings(ctx, map[string]string{"title": "Öur server", "empty": ""}, map[string]sandstorm.Secret{"password": "hunter2"}))
	ok(t, s.PutSettings(ctx, map[string]string{"title": "Ours"}, nil))
	plain, secret, err := s.Settings(ctx)
	ok(t, err)
	if diff := cmp.Diff(map[string]string{"title": "Ours", "empty": ""}, plain); diff != "" {
		t.Error(diff)
	}
	if len(secret) != 1 || secret["password"].Reveal() != "hunter2" {
		t.Errorf("%d secrets", len(secret))
	}
	wantKind(t, s.PutSettings(ctx, map[string]string{"a": "x", "b": "\x00"}, nil), sandstorm.Invalid)
	if plain, _, _ := s.Settings(ctx); plain["a"] != "" {
		t.Error("half of the settings were stored")
	}
}

func testSetup(t *testing.T, s *store.Store) {
	ctx := t.Context()
	who := AddAccount(t, s, "alice")
	soon := time.Now().Add(time.Hour)
	wantKind(t, s.CheckSetup(ctx, ""), sandstorm.Denied)
	ok(t, s.BeginSetup(ctx, "h1", soon))
	ok(t, s.BeginSetup(ctx, "h2", soon))
	wantKind(t, s.CheckSetup(ctx, "h1"), sandstorm.Denied) // one at a time
	ok(t, s.CheckSetup(ctx, "h2"))
	wantKind(t, s.FinishSetup(ctx, "h1", who), sandstorm.Denied)
	wantKind(t, s.FinishSetup(ctx, "h2", "nobody"), sandstorm.NotFound)
	ok(t, s.FinishSetup(ctx, "h2", who))
	if a := must(s.Account(ctx, who))(t); !a.Admin || a.MemberBy != "admin" {
		t.Errorf("after set-up: %+v", a)
	}
	wantKind(t, s.CheckSetup(ctx, "h2"), sandstorm.Denied)
	ok(t, s.BeginSetup(ctx, "h3", time.Now().Add(-time.Second)))
	wantKind(t, s.CheckSetup(ctx, "h3"), sandstorm.Denied)
	ok(t, s.BeginSetup(ctx, "h4", soon))
	ok(t, s.SetSuspended(ctx, who, &base))
	wantKind(t, s.FinishSetup(ctx, "h4", who), sandstorm.Denied)
	ok(t, s.CheckSetup(ctx, "h4")) // nothing half done
}
