package mail

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/mail/mailtest"
)

func smtpOf(s *mailtest.Server) SMTP {
	return SMTP{Host: s.Host, Port: s.Port, From: "server@example.com"}
}

func message(t *testing.T) Message {
	t.Helper()
	to, err := ParseAddress("Alice+x@Example.com")
	if err != nil {
		t.Fatal(err)
	}
	return Message{To: to, Name: "Öur Server", Subject: "Grüße\r\nBcc: victim@example.org", Text: "Hello — 笔记\n.\nend\n"}
}

func TestSend(t *testing.T) {
	srv := mailtest.Start(t, mailtest.Options{})
	if err := (&Sender{}).Send(t.Context(), smtpOf(srv), message(t)); err != nil {
		t.Fatal(err)
	}
	got := srv.Next(t)
	if got.From != "server@example.com" || len(got.To) != 1 || got.To[0] != "Alice+x@Example.com" {
		t.Errorf("from %s to %v", got.From, got.To)
	}
	if got.Subject != "Grüße Bcc: victim@example.org" || got.Header.Get("Bcc") != "" || strings.TrimRight(got.Text, "\n") != "Hello — 笔记\n.\nend" {
		t.Errorf("header %v, subject %q, text %q", got.Header, got.Subject, got.Text)
	}
	for _, h := range []string{"Date", "Message-Id", "Auto-Submitted", "Mime-Version"} {
		if got.Header.Get(h) == "" {
			t.Errorf("no header %s in %v", h, got.Header)
		}
	}
	if from, err := got.Header.AddressList("From"); err != nil || len(from) != 1 || from[0].Name != "Öur Server" {
		t.Errorf("sender %v %v", from, err)
	}
}

// What TLS is asked for, by how far away the server is.
func TestTLS(t *testing.T) {
	type want struct {
		ok, tls bool
	}
	for _, c := range []struct {
		name   string
		o      mailtest.Options
		where  nearness
		user   bool
		noRoot bool
		want   want
	}{
		{name: "far away with STARTTLS", o: mailtest.Options{StartTLS: true}, where: farAway, want: want{true, true}},
		{name: "far away without", where: farAway},
		{name: "far away, unknown issuer", o: mailtest.Options{StartTLS: true}, where: farAway, noRoot: true},
		{name: "far away, another's certificate", o: mailtest.Options{StartTLS: true, CertName: "other.example"}, where: farAway},
		{name: "nearby without", where: nearby, want: want{true, false}},
		{name: "nearby, unknown issuer", o: mailtest.Options{StartTLS: true}, where: nearby, noRoot: true},
		{name: "nearby with password, without TLS", o: mailtest.Options{User: "u", Password: "p", Insecure: true}, where: nearby, user: true},
		{name: "nearby with password", o: mailtest.Options{User: "u", Password: "p", StartTLS: true}, where: nearby, user: true, want: want{true, true}},
		{name: "this machine, unknown issuer", o: mailtest.Options{StartTLS: true, CertName: "snakeoil"}, where: thisMachine, noRoot: true, want: want{true, true}},
		{name: "this machine without", where: thisMachine, want: want{true, false}},
		{name: "wrong password", o: mailtest.Options{User: "u", Password: "other", StartTLS: true}, where: farAway, user: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := mailtest.Start(t, c.o)
			s := &Sender{RootCAs: srv.Roots, nearness: func(netip.Addr) nearness { return c.where }}
			if c.noRoot {
				s.RootCAs = mailtest.Start(t, mailtest.Options{}).Roots
			}
			via := smtpOf(srv)
			if c.user {
				via.User, via.Password = "u", "p"
			}
			err := s.Send(t.Context(), via, message(t))
			if (err == nil) != c.want.ok || err != nil && !sandstorm.IsKind(err, sandstorm.Unavailable) {
				t.Fatalf("error is %v, want success %v", err, c.want.ok)
			}
			mails := srv.Mails()
			if c.want.ok && (len(mails) != 1 || mails[0].TLS != c.want.tls || c.user != (mails[0].User == "u")) {
				t.Errorf("mails %+v, want TLS %v", mails, c.want.tls)
			}
			if !c.want.ok && len(mails) != 0 {
				t.Errorf("mail was sent all the same: %+v", mails)
			}
		})
	}
}

func TestImplicitTLS(t *testing.T) {
	for _, known := range []bool{true, false} {
		srv := mailtest.Start(t, mailtest.Options{ImplicitTLS: true, User: "u", Password: "p"})
		s := &Sender{RootCAs: srv.Roots, nearness: func(netip.Addr) nearness { return farAway }}
		if !known {
			s.RootCAs = mailtest.Start(t, mailtest.Options{}).Roots
		}
		via := smtpOf(srv)
		via.Port, via.User, via.Password = ImplicitTLSPort, "u", "p"
		conn, err := net.Dial("tcp", srv.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		msg, err := compose(via, message(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.deliver(t.Context(), conn, via, msg); (err == nil) != known {
			t.Errorf("certificate known %v: %v", known, err)
		}
		if n := len(srv.Mails()); n != map[bool]int{true: 1, false: 0}[known] {
			t.Errorf("certificate known %v: %d mails", known, n)
		}
	}
}

func TestSendErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	silent := l.Addr().(*net.TCPAddr).Port // accepts and says nothing
	canceled, cancel := context.WithCancel(t.Context())
	go func() {
		if conn, err := l.Accept(); err == nil {
			cancel()
			conn.Read(make([]byte, 1))
			conn.Close()
		}
	}()
	refusing := smtpOf(mailtest.Start(t, mailtest.Options{Refuse: "Alice+x@Example.com"}))
	busy := smtpOf(mailtest.Start(t, mailtest.Options{Busy: true}))
	for _, c := range []struct {
		name string
		ctx  context.Context
		via  SMTP
		kind sandstorm.Kind
		key  string
	}{
		{"not configured", t.Context(), SMTP{}, sandstorm.Unavailable, "mail.not-configured"},
		{"nobody there", t.Context(), SMTP{Host: "127.0.0.1", Port: 1, From: "a@b.example"}, sandstorm.Unavailable, "mail.failed"},
		{"canceled", canceled, SMTP{Host: "127.0.0.1", Port: silent, From: "a@b.example"}, sandstorm.Unavailable, "mail.failed"},
		{"refused recipient", t.Context(), refusing, sandstorm.Invalid, "mail.refused"},
		{"busy", t.Context(), busy, sandstorm.Unavailable, "mail.failed"},
		{"two senders", t.Context(), SMTP{Host: "127.0.0.1", Port: 25, From: "a@b.example, c@d.example"}, sandstorm.Invalid, "settings.from"},
		{"odd host", t.Context(), SMTP{Host: "a b", Port: 25, From: "a@b.example"}, sandstorm.Invalid, "settings.smtp-host"},
		{"line break in user", t.Context(), SMTP{Host: "a", Port: 25, User: "a\r\nQUIT", From: "a@b.example"}, sandstorm.Invalid, "settings.smtp-user"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := (&Sender{}).Send(c.ctx, c.via, message(t))
			var e *sandstorm.Error
			if !sandstorm.IsKind(err, c.kind) || !asError(err, &e) || e.Key != c.key {
				t.Errorf("error is %v, want %v %s", err, c.kind, c.key)
			}
		})
	}
}

func asError(err error, to **sandstorm.Error) bool {
	e, ok := err.(*sandstorm.Error)
	*to = e
	return ok
}

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		url  sandstorm.Secret
		want SMTP
	}{
		{"smtp://mail.example.com", SMTP{Host: "mail.example.com", Port: 587}},
		{"smtp://u%40x:p%3Aw%2F@mail.example.com:25", SMTP{Host: "mail.example.com", Port: 25, User: "u@x", Password: "p:w/"}},
		{"smtps://u:p@mail.example.com", SMTP{Host: "mail.example.com", Port: 465, User: "u", Password: "p"}},
		{"smtp://[::1]:2525", SMTP{Host: "::1", Port: 2525}},
	} {
		c.want.From = "no-reply@example.com"
		if got, err := ParseURL(c.url, "no-reply@example.com"); err != nil || got != c.want {
			t.Errorf("%s gives %+v %v", c.url.Reveal(), got, err)
		}
	}
	for _, url := range []sandstorm.Secret{"", "mail.example.com", "http://u:hunter2@h", "smtp://u:hunter2@h:0", "smtp://u:hunter2@h:x", "smtps://u:hunter2@h:25", "smtp://u:hunter2@h:99999"} {
		_, err := ParseURL(url, "no-reply@example.com")
		if !sandstorm.IsKind(err, sandstorm.Invalid) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s gives %v", url.Reveal(), err)
		}
	}
}
