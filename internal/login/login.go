// Package login puts the ways to sign in together, each of which is a package
// of its own below this one.
package login

import (
	"context"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/account"
	"github.com/sandstorm-go/sandstorm/internal/login/dev"
	"github.com/sandstorm-go/sandstorm/internal/login/email"
	"github.com/sandstorm-go/sandstorm/internal/settings"
)

// Service is all ways to sign in.
type Service struct {
	settings *settings.Service
	email    *email.Service
	dev      *dev.Service
}

// New makes a Service.
func New(set *settings.Service, byEmail *email.Service, byDev *dev.Service) *Service {
	return &Service{settings: set, email: byEmail, dev: byDev}
}

// Methods says which ways are offered now: "email", "dev".
func (s *Service) Methods(ctx context.Context) ([]string, error) {
	var out []string
	on, err := s.emailOn(ctx)
	if err != nil {
		return nil, err
	}
	if on {
		out = append(out, account.ServiceEmail)
	}
	if s.dev.Allowed() {
		out = append(out, account.ServiceDev)
	}
	return out, nil
}

// emailOn reports whether e-mail login is on and mail can leave.
func (s *Service) emailOn(ctx context.Context) (bool, error) {
	set, err := s.settings.Get(ctx)
	if err != nil || !set.EmailLogin {
		return false, err
	}
	via, err := s.settings.Mail(ctx)
	return via.Host != "", err
}

func (s *Service) needEmail(ctx context.Context) error {
	on, err := s.emailOn(ctx)
	if err == nil && !on {
		return sandstorm.Errorf(sandstorm.Denied, "login.no-email", "e-mail login is off, or no mail server is configured")
	}
	return err
}

// SendCode mails a one-time code. It answers the same whether or not the
// address is known. returnPath is where the mailed link leads after sign-in.
func (s *Service) SendCode(ctx context.Context, address, returnPath, language, clientIP string) error {
	if err := s.needEmail(ctx); err != nil {
		return err
	}
	return s.email.SendCode(ctx, address, returnPath, language, clientIP)
}

// SignInWithCode returns the cookie of a new browser session.
func (s *Service) SignInWithCode(ctx context.Context, address string, code sandstorm.Secret, clientIP string) (account.SignedIn, error) {
	if err := s.needEmail(ctx); err != nil {
		return account.SignedIn{}, err
	}
	return s.email.SignInWithCode(ctx, address, code, clientIP)
}

// SignInDev signs in a development account by name.
func (s *Service) SignInDev(ctx context.Context, name string) (account.SignedIn, error) {
	return s.dev.SignIn(ctx, name)
}

// Close ends the sessions that were begun in a way that the configuration no
// longer allows. The server calls it when it starts.
func (s *Service) Close(ctx context.Context) error { return s.dev.Close(ctx) }
