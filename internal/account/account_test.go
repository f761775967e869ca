package account_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/account"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

type fixture struct {
	*account.Service
	store    *store.Store
	now      time.Time
	open     bool
	domains  []string
	welcomed []sandstorm.AccountID
	ended    []sandstorm.LoginID
}

func setUp(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return f.now }
	var err error
	if f.store, err = store.Open(t.Context(), store.Options{DataDir: t.TempDir(), Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.store.Close() })
	var mu sync.Mutex
	f.Service = account.New(account.Options{
		Store: f.store, Now: clock, DevAccounts: true,
		Policy: func(context.Context) (account.Policy, error) {
			return account.Policy{OpenSignUp: f.open, Domains: f.domains}, nil
		},
		Welcome: func(_ context.Context, who sandstorm.AccountID) error {
			mu.Lock()
			defer mu.Unlock()
			f.welcomed = append(f.welcomed, who)
			return errors.New("this must not keep anybody out")
		},
		Ended: func(_ context.Context, login sandstorm.LoginID) error { f.ended = append(f.ended, login); return nil },
	})
	return f
}

func byMail(address string) account.Proof {
	return account.Proof{Service: account.ServiceEmail, Subject: address, Email: address}
}

func (f *fixture) signIn(t *testing.T, p account.Proof) account.SignedIn {
	t.Helper()
	in, err := f.SignIn(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func (f *fixture) role(t *testing.T, in account.SignedIn) sandstorm.Role {
	t.Helper()
	a, err := f.Authenticate(t.Context(), in.Cookie)
	if err != nil {
		t.Fatal(err)
	}
	return a.Role
}

func wantKind(t *testing.T, err error, kind sandstorm.Kind) {
	t.Helper()
	if !sandstorm.IsKind(err, kind) {
		t.Errorf("error is %v (%v), want kind %v", err, sandstorm.KindOf(err), kind)
	}
}

func TestSignIn(t *testing.T) {
	f := setUp(t)
	first := f.signIn(t, byMail("Alice.Smith+x@example.com"))
	again := f.signIn(t, byMail("Alice.Smith+x@example.com"))
	if first.Account.ID != again.Account.ID || first.Cookie == again.Cookie || len(f.welcomed) != 1 {
		t.Errorf("first %+v, again %+v, welcomed %d", first.Account, again.Account, len(f.welcomed))
	}
	want := sandstorm.Profile{Name: "Alice.Smith", Handle: "alice_smith", Pronoun: sandstorm.PronounNeutral}
	if first.Account.Profile != want || !first.Expires.Equal(f.now.Add(90*24*time.Hour)) {
		t.Errorf("profile %+v, expires %v", first.Account.Profile, first.Expires)
	}
	a, err := f.Authenticate(t.Context(), first.Cookie)
	if err != nil || a.ID != first.Account.ID || a.Login != account.LoginOf(first.Cookie) || a.Login == first.Account.Login && a.Login == "" {
		t.Errorf("authenticated %+v, %v", a, err)
	}
	creds, err := f.Credentials(t.Context(), a.ID)
	if err != nil || len(creds) != 1 || creds[0].ID != sandstorm.NewCredentialID("email", "Alice.Smith+x@example.com") {
		t.Errorf("credentials %v, %v", creds, err)
	}
}

// Two first sign-ins at the same time make one account.
func TestSignInRace(t *testing.T) {
	f := setUp(t)
	ids := make([]sandstorm.AccountID, 6)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			in, err := f.SignIn(t.Context(), byMail("a@example.com"))
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = in.Account.ID
		})
	}
	wg.Wait()
	if len(slices.Compact(ids)) != 1 || len(f.welcomed) != 1 {
		t.Errorf("accounts %v, welcomed %v", ids, f.welcomed)
	}
}

func TestForgedCookies(t *testing.T) {
	f := setUp(t)
	in := f.signIn(t, byMail("a@example.com"))
	login := string(account.LoginOf(in.Cookie))
	for _, cookie := range []string{"", "x", strings.Repeat("A", 43), in.Cookie.Reveal() + "A", in.Cookie.Reveal()[1:], login, login[:43], strings.Repeat("\x00", 43), strings.Repeat("'", 1000)} {
		_, err := f.Authenticate(t.Context(), sandstorm.Secret(cookie))
		wantKind(t, err, sandstorm.Denied)
	}
}

func TestSessionLife(t *testing.T) {
	f := setUp(t)
	in := f.signIn(t, byMail("a@example.com"))
	for range 4 { // each use moves the expiry
		f.now = f.now.Add(80 * 24 * time.Hour)
		if f.role(t, in) == "" {
			t.Fatal("no role")
		}
	}
	a, err := f.Get(t.Context(), in.Account.ID)
	if err != nil || !a.LastActive.Equal(f.now) {
		t.Errorf("last active %v, %v", a, err)
	}
	f.now = f.now.Add(90*24*time.Hour + time.Second)
	_, err = f.Authenticate(t.Context(), in.Cookie)
	wantKind(t, err, sandstorm.Denied)
}

func TestSignOut(t *testing.T) {
	f := setUp(t)
	one, two, three := f.signIn(t, byMail("a@example.com")), f.signIn(t, byMail("a@example.com")), f.signIn(t, byMail("a@example.com"))
	other := f.signIn(t, byMail("b@example.com"))
	if err := f.SignOut(t.Context(), one.Cookie); err != nil {
		t.Fatal(err)
	}
	if err := f.SignOut(t.Context(), one.Cookie); err != nil {
		t.Errorf("signing out twice: %v", err)
	}
	_, err := f.Authenticate(t.Context(), one.Cookie)
	wantKind(t, err, sandstorm.Denied)
	f.ended = nil
	if err := f.SignOutElsewhere(t.Context(), two.Account.ID, account.LoginOf(two.Cookie)); err != nil {
		t.Fatal(err)
	}
	_, err = f.Authenticate(t.Context(), three.Cookie)
	wantKind(t, err, sandstorm.Denied)
	f.role(t, two)
	f.role(t, other)
	if !slices.Equal(f.ended, []sandstorm.LoginID{account.LoginOf(three.Cookie)}) {
		t.Errorf("ended %v", f.ended)
	}
}

func TestSuspend(t *testing.T) {
	f := setUp(t)
	in := f.signIn(t, byMail("a@example.com"))
	if err := f.Suspend(t.Context(), in.Account.ID, true); err != nil {
		t.Fatal(err)
	}
	_, err := f.Authenticate(t.Context(), in.Cookie)
	wantKind(t, err, sandstorm.Denied)
	_, err = f.SignIn(t.Context(), byMail("a@example.com"))
	wantKind(t, err, sandstorm.Denied)
	if !slices.Equal(f.ended, []sandstorm.LoginID{account.LoginOf(in.Cookie)}) {
		t.Errorf("ended %v", f.ended)
	}
	if err := f.Suspend(t.Context(), in.Account.ID, false); err != nil {
		t.Fatal(err)
	}
	f.signIn(t, byMail("a@example.com"))
	_, err = f.Authenticate(t.Context(), in.Cookie)
	wantKind(t, err, sandstorm.Denied) // the old session stays ended
	wantKind(t, f.Suspend(t.Context(), "nobody", true), sandstorm.NotFound)
}

// Roles follow the rules at each check, not those at sign-up.
func TestRoles(t *testing.T) {
	f := setUp(t)
	in := f.signIn(t, byMail("alice@Team.Example.com"))
	for _, c := range []struct {
		open    bool
		domains []string
		want    sandstorm.Role
	}{
		{false, nil, sandstorm.RoleVisitor},
		{true, nil, sandstorm.RoleUser},
		{false, []string{"team.example.COM"}, sandstorm.RoleUser},
		{false, []string{"other.example", "*.example.com"}, sandstorm.RoleUser},
		{false, []string{"example.com"}, sandstorm.RoleVisitor},
		{false, []string{"*.team.example.com"}, sandstorm.RoleVisitor},
		{false, []string{"am.example.com", "*.m.example.com"}, sandstorm.RoleVisitor},
		{false, []string{"", "*.", "*"}, sandstorm.RoleVisitor},
	} {
		f.open, f.domains = c.open, c.domains
		if got := f.role(t, in); got != c.want {
			t.Errorf("open %v, domains %v give %s, want %s", c.open, c.domains, got, c.want)
		}
	}
	f.domains = []string{"example.com"}
	plain := f.signIn(t, account.Proof{Service: "dev", Subject: "mallory@example.com", Name: "mallory@example.com"})
	if got := f.role(t, plain); got != sandstorm.RoleVisitor {
		t.Errorf("a name that looks like an address gives %s", got)
	}
	if err := f.store.SetAccountRights(t.Context(), in.Account.ID, true, "admin"); err != nil {
		t.Fatal(err)
	}
	f.domains = nil
	if got := f.role(t, in); got != sandstorm.RoleAdmin {
		t.Errorf("an administrator is %s", got)
	}
}

func TestCredentials(t *testing.T) {
	f := setUp(t)
	ctx := t.Context()
	alice, bob := f.signIn(t, byMail("a@example.com")), f.signIn(t, byMail("b@example.com"))
	wantKind(t, f.AddCredential(ctx, alice.Account.ID, byMail("b@example.com")), sandstorm.Conflict)
	if err := f.AddCredential(ctx, alice.Account.ID, byMail("a@example.org")); err != nil {
		t.Fatal(err)
	}
	second := f.signIn(t, byMail("a@example.org"))
	if second.Account.ID != alice.Account.ID {
		t.Error("a second credential signs in to another account")
	}
	id := sandstorm.NewCredentialID("email", "a@example.org")
	wantKind(t, f.RemoveCredential(ctx, bob.Account.ID, id), sandstorm.NotFound)
	if err := f.RemoveCredential(ctx, alice.Account.ID, id); err != nil {
		t.Fatal(err)
	}
	_, err := f.Authenticate(ctx, second.Cookie)
	wantKind(t, err, sandstorm.Denied)
	f.role(t, alice)
	if !slices.Equal(f.ended, []sandstorm.LoginID{account.LoginOf(second.Cookie)}) {
		t.Errorf("ended %v", f.ended)
	}
	wantKind(t, f.RemoveCredential(ctx, alice.Account.ID, sandstorm.NewCredentialID("email", "a@example.com")), sandstorm.Conflict)
}

func TestProfile(t *testing.T) {
	f := setUp(t)
	ctx := t.Context()
	id := f.signIn(t, byMail("a@example.com")).Account.ID
	good := sandstorm.Profile{Name: "  Änne 笔 ", Handle: "aenne_1", Pronoun: sandstorm.PronounFemale}
	if err := f.UpdateProfile(ctx, id, good, "zh-TW"); err != nil {
		t.Fatal(err)
	}
	a, err := f.Get(ctx, id)
	if err != nil || a.Profile.Name != "Änne 笔" || a.Profile.Handle != "aenne_1" || a.Language != "zh-TW" {
		t.Errorf("%+v, %v", a, err)
	}
	for _, bad := range []func(*sandstorm.Profile, *string){
		func(p *sandstorm.Profile, _ *string) { p.Name = " \t" },
		func(p *sandstorm.Profile, _ *string) { p.Name = "a\nb" },
		func(p *sandstorm.Profile, _ *string) { p.Name = "a\u202eb" },
		func(p *sandstorm.Profile, _ *string) { p.Name = "\u200b" },
		func(p *sandstorm.Profile, _ *string) { p.Name = "\xff" },
		func(p *sandstorm.Profile, _ *string) { p.Name = strings.Repeat("ä", 101) },
		func(p *sandstorm.Profile, _ *string) { p.Handle = "1a" },
		func(p *sandstorm.Profile, _ *string) { p.Handle = "A" },
		func(p *sandstorm.Profile, _ *string) { p.Handle = "" },
		func(p *sandstorm.Profile, _ *string) { p.Handle = "a\n" },
		func(p *sandstorm.Profile, _ *string) { p.Handle = strings.Repeat("a", 33) },
		func(p *sandstorm.Profile, _ *string) { p.Pronoun = "king" },
		func(_ *sandstorm.Profile, l *string) { *l = "not a tag" },
		func(_ *sandstorm.Profile, l *string) { *l = "en-" + strings.Repeat("x-abcdefgh", 9) },
	} {
		p, lang := good, "en"
		bad(&p, &lang)
		wantKind(t, f.UpdateProfile(ctx, id, p, lang), sandstorm.Invalid)
	}
}

func TestPicture(t *testing.T) {
	f := setUp(t)
	ctx := t.Context()
	id := f.signIn(t, byMail("a@example.com")).Account.ID
	for _, good := range []string{"\x89PNG\r\n\x1a\nx", "\xff\xd8\xffx"} {
		if err := f.SetPicture(ctx, id, []byte(good)); err != nil {
			t.Error(err)
		}
	}
	wantKind(t, f.SetPicture(ctx, id, []byte("<svg onload=alert(1)>")), sandstorm.Invalid)
	wantKind(t, f.SetPicture(ctx, id, []byte("\x89PNG\r\n\x1a\n"+strings.Repeat("x", 64<<10))), sandstorm.TooLarge)
	if err := f.SetPicture(ctx, id, nil); err != nil {
		t.Error(err)
	}
	if a, err := f.Get(ctx, id); err != nil || a.Profile.Picture != "" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestCommands(t *testing.T) {
	f := setUp(t)
	ctx := t.Context()
	create := func(name, email string, role sandstorm.Role) *sandstorm.Account {
		t.Helper()
		a, err := f.Create(ctx, name, email, role)
		if err != nil {
			t.Fatal(err)
		}
		if a.Role != role {
			t.Errorf("%s has role %s, want %s", name, a.Role, role)
		}
		return a
	}
	ann := create("Ann", "ann@example.com", sandstorm.RoleAdmin)
	bob := create("Bob", "", sandstorm.RoleUser)
	bob2 := create("bob", "bob@example.com", sandstorm.RoleVisitor)
	if in := f.signIn(t, byMail("ann@example.com")); in.Account.ID != ann.ID || in.Account.Role != sandstorm.RoleAdmin {
		t.Errorf("signed in as %+v", in.Account)
	}
	for _, c := range []struct{ name, email, role string }{
		{"", "x@example.com", "user"}, {"X", "x@example.com, y@example.com", "user"}, {"X", "x@example.com", "king"},
	} {
		_, err := f.Create(ctx, c.name, c.email, sandstorm.Role(c.role))
		wantKind(t, err, sandstorm.Invalid)
	}
	_, err := f.Create(ctx, "Ann", "ANN@example.com", sandstorm.RoleUser)
	wantKind(t, err, sandstorm.Conflict)
	for user, want := range map[string]sandstorm.AccountID{
		string(ann.ID): ann.ID, "ann@example.com": ann.ID, "ANN@Example.com": ann.ID, "Ann": ann.ID, "ann": ann.ID,
		"Bob": bob.ID, "bob": bob.ID, "bob@example.com": bob2.ID,
	} {
		if a, err := f.Find(ctx, user); err != nil || a.ID != want {
			t.Errorf("%s finds %v, %v", user, a, err)
		}
	}
	create("Ann", "ann@example.org", sandstorm.RoleUser)
	_, err = f.Find(ctx, "ann")
	wantKind(t, err, sandstorm.Conflict)
	_, err = f.Find(ctx, "nobody")
	wantKind(t, err, sandstorm.NotFound)
	if all, err := f.List(ctx); err != nil || len(all) != 4 {
		t.Errorf("%v, %v", all, err)
	}
	none := account.New(account.Options{Store: f.store})
	_, err = none.Create(ctx, "Carol", "", sandstorm.RoleUser)
	wantKind(t, err, sandstorm.Invalid)
}
