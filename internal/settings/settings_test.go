package settings

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/config"
	"github.com/sandstorm-go/sandstorm/internal/mail"
	"github.com/sandstorm-go/sandstorm/internal/mail/mailtest"
	"github.com/sandstorm-go/sandstorm/internal/store/storetest"
)

func setUp(t *testing.T) (*Service, *config.Config) {
	t.Helper()
	cfg := &config.Config{BaseURL: "https://sandstorm.example.com:8443"}
	return New(storetest.Open(t), cfg, &mail.Sender{}), cfg
}

var reveal = cmp.Transformer("reveal", func(s sandstorm.Secret) string { return s.Reveal() })

func TestDefaults(t *testing.T) {
	s, cfg := setUp(t)
	got, err := s.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Server{Title: "sandstorm.example.com", EmailLogin: true}, got, reveal); diff != "" {
		t.Error(diff)
	}
	cfg.AllowDevAccounts = true
	if got, _ := s.Get(t.Context()); !got.DevAccounts {
		t.Error("development accounts are not shown")
	}
}

func TestSet(t *testing.T) {
	s, _ := setUp(t)
	in := Server{
		Title: " Ours ", OpenSignUp: true, SignUpDomains: []string{" Example.COM", "", "*.example.org"},
		SMTP: mail.SMTP{Host: "mail.example.com", Port: 587, User: "u", Password: "hunter2", From: "no-reply@example.com"},
	}
	if err := s.Set(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	want := in
	want.Title, want.SignUpDomains = "Ours", []string{"example.com", "*.example.org"}
	got, err := s.Get(t.Context())
	if diff := cmp.Diff(want, got, reveal); diff != "" || err != nil {
		t.Error(diff, err)
	}
	in.SMTP.Host = "" // no mail: nothing of it stays
	if err := s.Set(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Get(t.Context()); got.SMTP != (mail.SMTP{}) {
		t.Errorf("mail is %+v", got.SMTP)
	}
}

func TestSetRefuses(t *testing.T) {
	s, _ := setUp(t)
	good := mail.SMTP{Host: "mail.example.com", Port: 587, From: "no-reply@example.com"}
	for key, bad := range map[string]func(*Server){
		"settings.title":     func(in *Server) { in.Title = "a\nb" },
		"settings.domain":    func(in *Server) { in.SignUpDomains = []string{"a,b"} },
		"settings.smtp-host": func(in *Server) { in.SMTP.Host = "mail.example.com/x" },
		"settings.port":      func(in *Server) { in.SMTP.Port = 0 },
		"settings.from":      func(in *Server) { in.SMTP.From = "a@b.example,c@d.example" },
		"settings.smtp-user": func(in *Server) { in.SMTP.User = "a\r\nRSET" },
	} {
		in := Server{Title: "x", SMTP: good}
		bad(&in)
		err := s.Set(t.Context(), in)
		var e *sandstorm.Error
		if !errors.As(err, &e) || e.Key != key || e.Kind != sandstorm.Invalid {
			t.Errorf("error is %v, want %s", err, key)
		}
	}
	for _, d := range []string{"*", "*.", "*.*.x", "@example.com", "exämple.com", strings.Repeat("a.", 200) + "b"} {
		if err := s.Set(t.Context(), Server{SignUpDomains: []string{d}}); !sandstorm.IsKind(err, sandstorm.Invalid) {
			t.Errorf("domain %q: %v", d, err)
		}
	}
	if got, _ := s.Get(t.Context()); got.SMTP.Host != "" {
		t.Error("something was stored")
	}
}

func TestMail(t *testing.T) {
	s, cfg := setUp(t)
	get := func() mail.SMTP {
		t.Helper()
		via, err := s.Mail(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return via
	}
	if get().Host != "" {
		t.Error("mail out of nothing")
	}
	cfg.MailURL = "smtp://u:p@relay.example.com:25"
	if via := get(); via.Host != "relay.example.com" || via.Port != 25 || via.From != "no-reply@sandstorm.example.com" {
		t.Errorf("by configuration: %+v", via)
	}
	cfg.BaseURL = "http://[::1]:6080"
	if via := get(); via.From != "no-reply@localhost" {
		t.Errorf("a server without a name writes as %s", via.From)
	}
	cfg.BaseURL = "https://sandstorm.example.com:8443"
	if got, _ := s.Get(t.Context()); got.SMTP.Host != "" {
		t.Error("the configuration's password would be shown and stored")
	}
	if err := s.Set(t.Context(), Server{SMTP: mail.SMTP{Host: "own.example.com", Port: 465, From: "a@example.com"}}); err != nil {
		t.Fatal(err)
	}
	if via, title, err := s.MailAndTitle(t.Context()); err != nil || via.Host != "own.example.com" || title != "sandstorm.example.com" {
		t.Errorf("by settings: %+v, %s, %v", via, title, err)
	}
}

func TestPolicy(t *testing.T) {
	s, cfg := setUp(t)
	if err := s.Set(t.Context(), Server{SignUpDomains: []string{"example.com"}}); err != nil {
		t.Fatal(err)
	}
	open, domains, err := s.Policy(t.Context())
	if open || len(domains) != 1 || err != nil {
		t.Errorf("%v %v %v", open, domains, err)
	}
	cfg.AllowUninvited = true
	if open, _, err := s.Policy(t.Context()); !open || err != nil {
		t.Errorf("%v %v", open, err)
	}
}

func TestTestMail(t *testing.T) {
	s, _ := setUp(t)
	srv := mailtest.Start(t, mailtest.Options{})
	via := mail.SMTP{Host: srv.Host, Port: srv.Port, From: "no-reply@example.com"}
	if err := s.SendTestMail(t.Context(), via, " admin@example.com "); err != nil {
		t.Fatal(err)
	}
	if m := srv.Next(t); m.To[0] != "admin@example.com" || !strings.Contains(m.Text, "https://sandstorm.example.com:8443") {
		t.Errorf("mail %+v", m)
	}
	if err := s.SendTestMail(t.Context(), via, "a@example.com,b@example.com"); !sandstorm.IsKind(err, sandstorm.Invalid) {
		t.Errorf("two recipients: %v", err)
	}
	via.User, via.Password = "u", "p"
	err := s.SendTestMail(t.Context(), via, "admin@example.com")
	var e *sandstorm.Error
	if !errors.As(err, &e) || e.Kind != sandstorm.Unavailable || !strings.Contains(e.Args["detail"], "AUTH") {
		t.Errorf("the administrator is told %v", err)
	}
}
