package login_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/account"
	"github.com/sandstorm-go/sandstorm/internal/config"
	"github.com/sandstorm-go/sandstorm/internal/login"
	"github.com/sandstorm-go/sandstorm/internal/login/dev"
	"github.com/sandstorm-go/sandstorm/internal/login/email"
	"github.com/sandstorm-go/sandstorm/internal/mail"
	"github.com/sandstorm-go/sandstorm/internal/mail/mailtest"
	"github.com/sandstorm-go/sandstorm/internal/settings"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

type server struct {
	*login.Service
	settings *settings.Service
	accounts *account.Service
	dev      *dev.Service
}

// serve puts a server together the way the command does.
func serve(t *testing.T, cfg *config.Config) *server {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{DataDir: cfg.DataDir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	sender := &mail.Sender{}
	s := &server{settings: settings.New(st, cfg, sender)}
	policy := func(ctx context.Context) (account.Policy, error) {
		open, domains, err := s.settings.Policy(ctx)
		return account.Policy{OpenSignUp: open, Domains: domains}, err
	}
	s.accounts = account.New(account.Options{Store: st, Policy: policy, DevAccounts: cfg.AllowDevAccounts})
	s.dev = dev.New(st, s.accounts, cfg.AllowDevAccounts)
	if err := s.dev.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	byMail := email.New(email.Options{
		Store: st, Accounts: s.accounts, Sender: sender, BaseURL: cfg.BaseURL,
		Settings: s.settings.MailAndTitle,
	})
	s.Service = login.New(s.settings, byMail, s.dev)
	return s
}

func methods(t *testing.T, s *server) []string {
	t.Helper()
	out, err := s.Methods(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func wantKey(t *testing.T, err error, key string) {
	t.Helper()
	var e *sandstorm.Error
	if !errors.As(err, &e) || e.Key != key {
		t.Errorf("error is %v, want %s", err, key)
	}
}

func TestDev(t *testing.T) {
	cfg, err := config.Dev(t.TempDir(), 6080)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, cfg)
	if got := methods(t, s); !slices.Equal(got, []string{"dev"}) {
		t.Errorf("methods %v", got)
	}
	alice, err := s.SignInDev(t.Context(), " Alice ")
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.SignInDev(t.Context(), "alice")
	if err != nil || again.Account.ID != alice.Account.ID || alice.Account.Role != sandstorm.RoleUser || alice.Account.Profile.Name != "Alice" {
		t.Errorf("%+v, again %+v, %v", alice.Account, again.Account, err)
	}
	admin, err := s.SignInDev(t.Context(), "Admin")
	if err != nil || admin.Account.Role != sandstorm.RoleAdmin {
		t.Errorf("%+v, %v", admin.Account, err)
	}
	_, err = s.SignInDev(t.Context(), " ")
	wantKey(t, err, "account.bad-name")

	// The same data without development accounts: nobody stays in.
	cfg.AllowDevAccounts = false
	s = serve(t, cfg)
	if got := methods(t, s); len(got) != 0 {
		t.Errorf("methods %v", got)
	}
	_, err = s.SignInDev(t.Context(), "Alice")
	wantKey(t, err, "login.no-dev")
	_, err = s.accounts.Authenticate(t.Context(), admin.Cookie)
	wantKey(t, err, "auth.sign-in")
}

func TestEmail(t *testing.T) {
	smtp := mailtest.Start(t, mailtest.Options{})
	cfg, err := config.Dev(t.TempDir(), 6080)
	if err != nil {
		t.Fatal(err)
	}
	cfg.AllowDevAccounts = false
	s := serve(t, cfg)
	send := func() error { return s.SendCode(t.Context(), "alice@example.com", "/", "en", "") }
	wantKey(t, send(), "login.no-email") // no mail server
	set, err := s.settings.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	set.SMTP = mail.SMTP{Host: smtp.Host, Port: smtp.Port, From: "no-reply@example.com"}
	put := func(set settings.Server) {
		t.Helper()
		if err := s.settings.Set(context.Background(), set); err != nil {
			t.Fatal(err)
		}
	}
	put(set)
	if got := methods(t, s); !slices.Equal(got, []string{"email"}) {
		t.Errorf("methods %v", got)
	}
	if err := send(); err != nil {
		t.Fatal(err)
	}
	if m := smtp.Next(t); m.Subject != "Sign in to sandstorm.localhost" {
		t.Errorf("subject %q", m.Subject)
	}
	set.EmailLogin = false
	put(set)
	wantKey(t, send(), "login.no-email")
	_, err = s.SignInWithCode(t.Context(), "alice@example.com", "222222222222", "")
	wantKey(t, err, "login.no-email")
}
