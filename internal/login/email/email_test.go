package email

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/account"
	"github.com/sandstorm-go/sandstorm/internal/mail"
	"github.com/sandstorm-go/sandstorm/internal/mail/mailtest"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

const baseURL = "https://sandstorm.example.com"

type fixture struct {
	*Service
	store    *store.Store
	accounts *account.Service
	smtp     *mailtest.Server
	via      mail.SMTP
	now      time.Time
}

func setUp(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), smtp: mailtest.Start(t, mailtest.Options{User: "u", Password: "p", StartTLS: true})}
	f.via = mail.SMTP{Host: f.smtp.Host, Port: f.smtp.Port, User: "u", Password: "p", From: "no-reply@example.com"}
	clock := func() time.Time { return f.now }
	var err error
	if f.store, err = store.Open(t.Context(), store.Options{DataDir: t.TempDir(), Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.store.Close() })
	f.accounts = account.New(account.Options{Store: f.store, Now: clock})
	f.Service = New(Options{
		Store: f.store, Accounts: f.accounts, Sender: &mail.Sender{RootCAs: f.smtp.Roots}, Now: clock, BaseURL: baseURL,
		Settings: func(context.Context) (mail.SMTP, string, error) { return f.via, "Our Server", nil },
	})
	return f
}

var (
	codeLine = regexp.MustCompile(`(?m)^ {4}([a-z0-9]{12})$`)
	linkLine = regexp.MustCompile(`(?m)^https://\S+$`)
)

// ask has a code mailed and reads it out of the mail.
func (f *fixture) ask(t *testing.T, address string) (code sandstorm.Secret, m mailtest.Mail) {
	t.Helper()
	if err := f.SendCode(t.Context(), address, "/grain/abc?x=1#y", "en", "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	m = f.smtp.Next(t)
	hit := codeLine.FindStringSubmatch(m.Text)
	if hit == nil {
		t.Fatalf("no code in %q", m.Text)
	}
	return sandstorm.Secret(hit[1]), m
}

func (f *fixture) signIn(t *testing.T, address string, code sandstorm.Secret) account.SignedIn {
	t.Helper()
	in, err := f.SignInWithCode(t.Context(), address, code, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func wantError(t *testing.T, err error, kind sandstorm.Kind, key string) {
	t.Helper()
	var e *sandstorm.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Key != key {
		t.Errorf("error is %v, want %v %s", err, kind, key)
	}
}

// The whole way, with a real SMTP exchange over STARTTLS with a password.
func TestSignIn(t *testing.T) {
	f := setUp(t)
	code, m := f.ask(t, " Alice+x@Example.com ")
	if len(m.To) != 1 || m.To[0] != "Alice+x@Example.com" || m.Subject != "Sign in to Our Server" || !m.TLS || m.User != "u" {
		t.Errorf("mail %+v", m)
	}
	link, err := url.Parse(linkLine.FindString(m.Text))
	if err != nil || link.Host != "sandstorm.example.com" || link.Path != "/_emailLogin/Alice+x@Example.com/"+code.Reveal() {
		t.Errorf("link %v, %v", link, err)
	}
	in := f.signIn(t, "Alice+x@Example.com", sandstorm.Secret(" "+strings.ToUpper(code.Reveal())+"\n"))
	if in.ReturnPath != "/grain/abc?x=1#y" || in.Cookie == "" || in.Account.Profile.Handle != "alice" {
		t.Errorf("signed in %+v as %+v", in, in.Account)
	}
	creds, err := f.accounts.Credentials(t.Context(), in.Account.ID)
	if err != nil || len(creds) != 1 || creds[0].ID != sandstorm.NewCredentialID("email", "Alice+x@Example.com") || creds[0].Email != "Alice+x@Example.com" {
		t.Errorf("credentials %v, %v", creds, err)
	}
	_, err = f.SignInWithCode(t.Context(), "Alice+x@Example.com", code, "192.0.2.1")
	wantError(t, err, sandstorm.Denied, "login.wrong-code") // only once
}

// CVE-2017-6199 and its relatives: what is not exactly one address is refused
// before anything is mailed or recorded.
func TestBadAddresses(t *testing.T) {
	f := setUp(t)
	for _, address := range []string{
		"", "alice", "me@evil.example,x@victim.example", "me@evil.example, x@victim.example", "<me@evil.example>x@victim.example", "me@evil.example\r\nBcc: x@victim.example",
		`"me@evil.example"@victim.example`, "me@evil.example\x00@victim.example", "Alice <a@example.com>", "a@b@c",
	} {
		wantError(t, f.SendCode(t.Context(), address, "/", "en", "192.0.2.1"), sandstorm.Invalid, "login.bad-address")
		_, err := f.SignInWithCode(t.Context(), address, "222222222222", "192.0.2.1")
		wantError(t, err, sandstorm.Invalid, "login.bad-address")
	}
	if n := len(f.smtp.Mails()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	if all, err := f.store.Accounts(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("accounts %v, %v", all, err)
	}
}

func TestWrongCodes(t *testing.T) {
	f := setUp(t)
	code, _ := f.ask(t, "alice@example.com")
	other, _ := f.ask(t, "bob@example.com")
	for _, wrong := range []sandstorm.Secret{"", "222222222222", other, code + "2", code[1:], "%", sandstorm.Secret(strings.Repeat("x", 10000))} {
		_, err := f.SignInWithCode(t.Context(), "alice@example.com", wrong, "192.0.2.1")
		wantError(t, err, sandstorm.Denied, "login.wrong-code")
	}
	_, err := f.SignInWithCode(t.Context(), "mallory@example.com", code, "192.0.2.1")
	wantError(t, err, sandstorm.Denied, "login.wrong-code")
	f.signIn(t, "alice@example.com", code) // a few mistakes do no harm
}

func TestCodeExpires(t *testing.T) {
	f := setUp(t)
	code, _ := f.ask(t, "alice@example.com")
	f.now = f.now.Add(CodeLife + time.Second)
	_, err := f.SignInWithCode(t.Context(), "alice@example.com", code, "192.0.2.1")
	wantError(t, err, sandstorm.Denied, "login.wrong-code")
	code, _ = f.ask(t, "alice@example.com")
	f.now = f.now.Add(CodeLife)
	f.signIn(t, "alice@example.com", code)
}

// Guessing kills the codes, from however many clients it comes.
func TestGuessing(t *testing.T) {
	f := setUp(t)
	code, _ := f.ask(t, "alice@example.com")
	for i := range maxAttempts {
		_, err := f.SignInWithCode(t.Context(), "alice@example.com", "222222222222", fmt.Sprintf("10.0.%d.%d", i/250, i%250))
		wantError(t, err, sandstorm.Denied, "login.wrong-code")
	}
	_, err := f.SignInWithCode(t.Context(), "alice@example.com", code, "203.0.113.1")
	wantError(t, err, sandstorm.Denied, "login.wrong-code")
}

func TestOutstanding(t *testing.T) {
	f := setUp(t)
	for range maxOutstanding {
		f.ask(t, "alice@example.com")
	}
	for _, spelling := range []string{"alice@example.com", "ALICE@example.com", "alice@EXAMPLE.com"} {
		wantError(t, f.SendCode(t.Context(), spelling, "/", "en", "203.0.113.1"), sandstorm.Exhausted, "login.too-many-codes")
	}
	f.ask(t, "bob@example.com")
	f.now = f.now.Add(CodeLife + time.Second)
	f.ask(t, "alice@example.com")
}

func TestClientLimits(t *testing.T) {
	f := setUp(t)
	for i := range 20 {
		if err := f.SendCode(t.Context(), fmt.Sprintf("a%d@example.com", i), "/", "en", "2001:db8::1"); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, f.SendCode(t.Context(), "x@example.com", "/", "en", "2001:db8::2"), sandstorm.Exhausted, "login.too-many-requests")
	f.ask(t, "y@example.com") // another client
	f.now = f.now.Add(30 * time.Second)
	if err := f.SendCode(t.Context(), "x@example.com", "/", "en", "2001:db8::1"); err != nil {
		t.Error(err)
	}
	for range 30 {
		_, err := f.SignInWithCode(t.Context(), "z@example.com", "222222222222", "198.51.100.1")
		wantError(t, err, sandstorm.Denied, "login.wrong-code")
	}
	_, err := f.SignInWithCode(t.Context(), "z@example.com", "222222222222", "198.51.100.1")
	wantError(t, err, sandstorm.Exhausted, "login.too-many-requests")
}

// A known address is found however it is typed, but only its own mailbox is
// written to.
func TestSpelling(t *testing.T) {
	f := setUp(t)
	code, _ := f.ask(t, "Alice@Example.com")
	alice := f.signIn(t, "Alice@Example.com", code).Account.ID
	for _, typed := range []string{"alice@example.com", "ALICE@EXAMPLE.COM", "Alice@example.com"} {
		code, m := f.ask(t, typed)
		if m.To[0] != "Alice@Example.com" {
			t.Errorf("%s: mailed to %s", typed, m.To[0])
		}
		if in := f.signIn(t, typed, code); in.Account.ID != alice {
			t.Errorf("%s: another account", typed)
		}
	}
	// Two people whose mail server tells case apart (only an import makes this).
	if err := f.accounts.AddCredential(t.Context(), f.other(t), account.Proof{Service: "email", Subject: "alice@Example.com", Email: "alice@Example.com"}); err != nil {
		t.Fatal(err)
	}
	for typed, to := range map[string]string{"Alice@EXAMPLE.com": "Alice@Example.com", "alice@EXAMPLE.com": "alice@Example.com", "aLice@example.com": "aLice@example.com"} {
		f.now = f.now.Add(2 * time.Hour)
		if _, m := f.ask(t, typed); m.To[0] != to {
			t.Errorf("%s: mailed to %s, want %s", typed, m.To[0], to)
		}
	}
}

func (f *fixture) other(t *testing.T) sandstorm.AccountID {
	t.Helper()
	in, err := f.accounts.SignIn(t.Context(), account.Proof{Service: "test", Subject: "other", Name: "Other"})
	if err != nil {
		t.Fatal(err)
	}
	return in.Account.ID
}

// A code that went to one spelling before there was an account must not sign in
// to the account of another mailbox.
func TestProvenMailbox(t *testing.T) {
	f := setUp(t)
	lower, _ := f.ask(t, "alice@example.com")
	upper, _ := f.ask(t, "ALICE@example.com")
	one := f.signIn(t, "alice@example.com", lower)
	two := f.signIn(t, "alice@example.com", upper)
	if one.Account.ID == two.Account.ID {
		t.Error("who reads ALICE@ signed in as alice@")
	}
	f.now = f.now.Add(2 * time.Hour)
	a, _ := f.ask(t, "bob@example.com")
	b, _ := f.ask(t, "bob@EXAMPLE.com")
	if f.signIn(t, "bob@example.com", a).Account.ID != f.signIn(t, "bob@example.com", b).Account.ID {
		t.Error("one mailbox has two accounts")
	}
}

func TestReturnPath(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/grain/x/?a=b&c#d": "/grain/x/?a=b&c#d", "/a%2F%2Fb": "/a%2F%2Fb", "": "/", "x": "/", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example/": "/",
		"/\n/evil.example": "/", "/\t/evil.example": "/", "javascript:alert(1)": "/", "/a b": "/", "/\xff": "/", "/%zz": "/", "/" + strings.Repeat("a", 2000): "/",
	} {
		if got := localPath(path); got != want {
			t.Errorf("%q gives %q, want %q", path, got, want)
		}
	}
}

// Mail that cannot be sent leaves no code, and visitors do not learn why.
func TestMailFails(t *testing.T) {
	f := setUp(t)
	good := f.via
	f.via.Password = "wrong"
	for range maxOutstanding + 1 {
		err := f.SendCode(t.Context(), "alice@example.com", "/", "en", "192.0.2.1")
		wantError(t, err, sandstorm.Unavailable, "login.mail-failed")
		var e *sandstorm.Error
		if errors.As(err, &e); len(e.Args) != 0 {
			t.Errorf("visitors are told %v", e.Args)
		}
	}
	f.via = mail.SMTP{}
	wantError(t, f.SendCode(t.Context(), "alice@example.com", "/", "en", "192.0.2.1"), sandstorm.Unavailable, "login.mail-failed")
	f.via = good
	f.ask(t, "alice@example.com")

	refusing := mailtest.Start(t, mailtest.Options{Refuse: "bob@example.com"})
	f.via = mail.SMTP{Host: refusing.Host, Port: refusing.Port, From: "no-reply@example.com"}
	wantError(t, f.SendCode(t.Context(), "bob@example.com", "/", "en", "192.0.2.1"), sandstorm.Invalid, "login.address-refused")
}

type finnish struct{ known bool }

func (f finnish) Has(string) bool { return f.known }

func (finnish) T(key string, args ...any) string {
	m := map[string]any{}
	for i := 0; i < len(args); i += 2 {
		m[args[i].(string)] = args[i+1]
	}
	return fmt.Sprintf("%s: %v\n    %v\n%v %v min", key, m["Title"], m["Code"], m["Link"], m["Minutes"])
}

// The letter is in the account's language if it has set one, else the page's.
func TestLanguage(t *testing.T) {
	f := setUp(t)
	var asked string
	f.o.Texts = func(language string) Texts {
		asked = language
		return finnish{known: language == "fi"}
	}
	code, m := f.ask(t, "alice@example.com")
	if asked != "en" || m.Subject != "Sign in to Our Server" {
		t.Errorf("asked for %s, subject %q", asked, m.Subject)
	}
	who := f.signIn(t, "alice@example.com", code).Account
	if err := f.accounts.UpdateProfile(t.Context(), who.ID, who.Profile, "fi"); err != nil {
		t.Fatal(err)
	}
	code, m = f.ask(t, "alice@example.com")
	if asked != "fi" || !strings.HasPrefix(m.Text, "mail.codeBody: Our Server") || !strings.HasSuffix(strings.TrimSpace(m.Text), code.Reveal()+" 60 min") {
		t.Errorf("asked for %s, text %q", asked, m.Text)
	}
}

// Neither code nor return path lie in the database.
func TestNothingInClear(t *testing.T) {
	code := newCode()
	seen := map[rune]bool{}
	for range 200 {
		c := newCode().Reveal()
		if len(c) != codeLength || c == code.Reveal() {
			t.Fatalf("code %q", c)
		}
		for _, r := range c {
			seen[r] = true
		}
	}
	if len(seen) != len(codeAlphabet) {
		t.Errorf("%d different characters, want %d", len(seen), len(codeAlphabet))
	}
	a, _ := mail.ParseAddress("a@example.com")
	b, _ := mail.ParseAddress("b@example.com")
	if d := digest(a, code); strings.Contains(d, code.Reveal()) || d == digest(b, code) || len(d) != 64 {
		t.Errorf("digest %s", d)
	}
}

func TestLimiterBounded(t *testing.T) {
	l := newLimiter(2, time.Minute)
	now := time.Now()
	for i := range 3 * maxClients {
		l.allow(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), now)
	}
	if len(l.clients) > maxClients {
		t.Errorf("%d clients are remembered", len(l.clients))
	}
	for _, c := range []struct{ a, b string }{{"192.0.2.1", "::ffff:192.0.2.1"}, {"2001:db8::1", "2001:db8::ffff"}, {"", "nonsense"}, {"fe80::1%eth0", "fe80::2%eth1"}} {
		if clientOf(c.a) != clientOf(c.b) {
			t.Errorf("%s and %s are two clients", c.a, c.b)
		}
	}
	if clientOf("192.0.2.1") == clientOf("192.0.2.2") || clientOf("2001:db8::1") == clientOf("2001:db8:0:1::1") {
		t.Error("two clients are one")
	}
}
