// Package settings are what an administrator changes while the server runs,
// kept in the store: its title, who may sign in how, and how mail leaves. What
// the configuration file says is shown but cannot be changed here.
package settings

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/config"
	"github.com/sandstorm-go/sandstorm/internal/mail"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

const (
	maxTitle   = 100 // characters
	maxDomains = 100
)

// Server is the server's own settings.
type Server struct {
	Title         string // shown in the header and in mails
	EmailLogin    bool
	DevAccounts   bool     // read-only: comes from the configuration file
	OpenSignUp    bool     // everyone who signs in becomes a user, not a visitor
	SignUpDomains []string // those with an address there become users; *.x means below x
	SMTP          mail.SMTP
}

// Sender sends mail.
type Sender interface {
	Send(ctx context.Context, via mail.SMTP, m mail.Message) error
}

// Service keeps the settings. Its methods may be called concurrently. Who may
// change them is for the caller to check.
type Service struct {
	store  *store.Store
	cfg    *config.Config
	sender Sender
}

// New makes a Service.
func New(st *store.Store, cfg *config.Config, sender Sender) *Service {
	return &Service{store: st, cfg: cfg, sender: sender}
}

// Names of the settings in the store.
const (
	nameTitle    = "title"
	nameEmail    = "login.email"
	nameOpen     = "sign-up.open"
	nameDomains  = "sign-up.domains"
	nameHost     = "smtp.host"
	namePort     = "smtp.port"
	nameUser     = "smtp.user"
	nameFrom     = "smtp.from"
	namePassword = "smtp.password" // sealed
)

// Get returns the settings, with defaults for those that were never made.
func (s *Service) Get(ctx context.Context) (Server, error) {
	plain, secret, err := s.store.Settings(ctx)
	if err != nil {
		return Server{}, err
	}
	out := Server{
		Title:       plain[nameTitle],
		EmailLogin:  plain[nameEmail] != "false",
		DevAccounts: s.cfg.AllowDevAccounts,
		OpenSignUp:  plain[nameOpen] == "true",
		SMTP: mail.SMTP{
			Host: plain[nameHost], User: plain[nameUser], From: plain[nameFrom], Password: secret[namePassword],
		},
	}
	if out.Title == "" {
		out.Title = s.host()
	}
	if plain[nameDomains] != "" {
		out.SignUpDomains = strings.Split(plain[nameDomains], ",")
	}
	out.SMTP.Port, _ = strconv.Atoi(plain[namePort]) // 0 if it was never set
	return out, nil
}

// host is the name of this server.
func (s *Service) host() string {
	if u, err := url.Parse(s.cfg.BaseURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "Sandstorm"
}

// Set checks and stores all settings at once.
func (s *Service) Set(ctx context.Context, in Server) error {
	title := strings.TrimSpace(in.Title)
	if !utf8.ValidString(title) || utf8.RuneCountInString(title) > maxTitle || strings.ContainsFunc(title, unicode.IsControl) {
		return sandstorm.Errorf(sandstorm.Invalid, "settings.title", "unusable title of %d bytes", len(in.Title))
	}
	domains, err := cleanDomains(in.SignUpDomains)
	if err != nil {
		return err
	}
	if in.SMTP.Host != "" {
		if err := in.SMTP.Check(); err != nil {
			return err
		}
	} else {
		in.SMTP = mail.SMTP{}
	}
	return s.store.PutSettings(ctx, map[string]string{
		nameTitle:   title,
		nameEmail:   strconv.FormatBool(in.EmailLogin),
		nameOpen:    strconv.FormatBool(in.OpenSignUp),
		nameDomains: strings.Join(domains, ","),
		nameHost:    in.SMTP.Host, namePort: strconv.Itoa(in.SMTP.Port), nameUser: in.SMTP.User, nameFrom: in.SMTP.From,
	}, map[string]sandstorm.Secret{namePassword: in.SMTP.Password})
}

// cleanDomains brings the list into its stored form. Comparing is exact, so it
// happens in lower case on both sides (shell.md §2).
func cleanDomains(in []string) ([]string, error) {
	var out []string
	for _, d := range in {
		d = strings.ToLower(strings.TrimSpace(d))
		if d == "" {
			continue
		}
		// What stands behind an @ is a domain.
		if _, err := mail.ParseAddress("x@" + strings.TrimPrefix(d, "*.")); err != nil || len(out) == maxDomains {
			return nil, sandstorm.Errorf(sandstorm.Invalid, "settings.domain", "%.80q is not a domain such as example.com or *.example.com", d).With("domain", d)
		}
		out = append(out, d)
	}
	return out, nil
}

// Mail returns how mail leaves: by the settings or, without them, by the
// configuration's MAIL_URL. Its Host is empty if neither says it.
func (s *Service) Mail(ctx context.Context) (mail.SMTP, error) {
	set, err := s.Get(ctx)
	if err != nil || set.SMTP.Host != "" || s.cfg.MailURL == "" {
		return set.SMTP, err
	}
	from := "no-reply@" + s.host()
	if _, err := mail.ParseAddress(from); err != nil {
		from = "no-reply@localhost" // the server has an address but no name
	}
	return mail.ParseURL(s.cfg.MailURL, from)
}

// Policy says who is a full user now: everyone who signs in, or those with an
// address in one of the domains. Package account asks it.
func (s *Service) Policy(ctx context.Context) (open bool, domains []string, err error) {
	if s.cfg.AllowUninvited {
		return true, nil, nil
	}
	set, err := s.Get(ctx)
	return set.OpenSignUp, set.SignUpDomains, err
}

// SendTestMail sends a mail with the given settings before they are stored. The
// error says what the mail server said: it is for the administrator.
func (s *Service) SendTestMail(ctx context.Context, via mail.SMTP, to string) error {
	address, err := mail.ParseAddress(strings.TrimSpace(to))
	if err != nil {
		return err
	}
	set, err := s.Get(ctx)
	if err != nil {
		return err
	}
	return s.sender.Send(ctx, via, mail.Message{
		To: address, Name: set.Title, Subject: "Test mail from " + set.Title,
		Text: "This is a test. The server at " + s.cfg.BaseURL + " can send mail.\n",
	})
}

// MailAndTitle is what a way to sign in needs to write to people.
func (s *Service) MailAndTitle(ctx context.Context) (via mail.SMTP, title string, err error) {
	if via, err = s.Mail(ctx); err != nil {
		return via, "", err
	}
	set, err := s.Get(ctx)
	return via, set.Title, err
}
