package account

import (
	"context"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// Services that vouch for credentials.
const (
	ServiceEmail = "email" // the subject is the address as first typed
	ServiceDev   = "dev"   // the subject is the name
)

// Proof is what a way to sign in has found out about a person. The service
// stands for it that the person is the subject.
type Proof struct {
	Service string
	Subject string
	Email   string // a verified address, if there is one
	Name    string // for the profile of a new account; may be empty
	Admin   bool   // a new account becomes an administrator
	Member  string // why a new account is a full user; empty if it is not
}

func (p Proof) credential(who sandstorm.AccountID, now time.Time) *sandstorm.Credential {
	return &sandstorm.Credential{
		ID: sandstorm.NewCredentialID(p.Service, p.Subject), Account: who,
		Service: p.Service, Subject: p.Subject, Email: p.Email, Created: now,
	}
}

// SignedIn is a fresh browser session.
type SignedIn struct {
	Account    *sandstorm.Account
	Cookie     sandstorm.Secret
	Expires    time.Time
	ReturnPath string // from the mailed link, if any; a local path
}

// SignIn begins a browser session for the account of this credential. The first
// time it makes the account. A suspended account is Denied.
func (s *Service) SignIn(ctx context.Context, p Proof) (SignedIn, error) {
	rec, cred, err := s.findOrMake(ctx, p)
	if err != nil {
		return SignedIn{}, err
	}
	if rec.Suspended {
		return SignedIn{}, suspended(rec.ID)
	}
	now := s.o.Now()
	cookie := newCookie()
	b := &store.BrowserSession{
		Login: LoginOf(cookie), Account: rec.ID, Credential: cred,
		Created: now, LastUsed: now, Expires: now.Add(SessionLife),
	}
	if err := s.o.Store.InsertBrowserSession(ctx, b); err != nil {
		return SignedIn{}, err
	}
	a, err := s.withRole(ctx, rec)
	if err != nil {
		return SignedIn{}, err
	}
	a.Login = b.Login
	s.o.Log.InfoContext(ctx, "signed in", "user", a.ID, "service", p.Service)
	return SignedIn{Account: a, Cookie: cookie, Expires: b.Expires}, nil
}

// findOrMake returns the account of a credential. Of two first sign-ins at the
// same time one makes the account and the other finds it.
func (s *Service) findOrMake(ctx context.Context, p Proof) (*store.Account, sandstorm.CredentialID, error) {
	rec, cred, err := s.holder(ctx, p)
	if !sandstorm.IsKind(err, sandstorm.NotFound) {
		return rec, cred, err
	}
	rec, err = s.make(ctx, p)
	if sandstorm.IsKind(err, sandstorm.Conflict) {
		return s.holder(ctx, p)
	}
	return rec, sandstorm.NewCredentialID(p.Service, p.Subject), err
}

// holder returns the account that has the credential, or NotFound.
func (s *Service) holder(ctx context.Context, p Proof) (*store.Account, sandstorm.CredentialID, error) {
	id := sandstorm.NewCredentialID(p.Service, p.Subject)
	found, err := s.o.Store.FindCredentials(ctx, p.Service, p.Subject)
	if err != nil {
		return nil, "", err
	}
	for _, c := range found {
		if c.ID == id {
			rec, err := s.o.Store.Account(ctx, c.Account)
			return rec, c.ID, err
		}
	}
	return nil, "", sandstorm.Errorf(sandstorm.NotFound, "account.not-found", "nobody has credential %s", id)
}

// make records a new account with its first credential.
func (s *Service) make(ctx context.Context, p Proof) (*store.Account, error) {
	now := s.o.Now()
	rec := &store.Account{
		Account: sandstorm.Account{
			ID: sandstorm.NewAccountID(), Profile: firstProfile(p),
			Created: now, LastActive: now,
		},
		Admin: p.Admin, MemberBy: p.Member,
	}
	if err := s.o.Store.InsertAccount(ctx, rec, p.credential(rec.ID, now)); err != nil {
		return nil, err
	}
	s.o.Log.InfoContext(ctx, "new account", "user", rec.ID, "service", p.Service)
	if s.o.Welcome != nil {
		if err := s.o.Welcome(ctx, rec.ID); err != nil {
			s.o.Log.ErrorContext(ctx, "a new account did not get its apps", "user", rec.ID, "err", err)
		}
	}
	return rec, nil
}

// SignOut ends the browser session of a cookie. One that is gone is no error.
func (s *Service) SignOut(ctx context.Context, cookie sandstorm.Secret) error {
	login := LoginOf(cookie)
	if err := s.o.Store.DeleteBrowserSession(ctx, login); err != nil {
		return err
	}
	return s.ended(ctx, login)
}

// SignOutElsewhere ends all browser sessions of the account but the one in use,
// or with an empty login all of them.
func (s *Service) SignOutElsewhere(ctx context.Context, who sandstorm.AccountID, keep sandstorm.LoginID) error {
	open, err := s.o.Store.BrowserSessions(ctx, who)
	if err != nil {
		return err
	}
	if err := s.o.Store.DeleteBrowserSessions(ctx, who, keep); err != nil {
		return err
	}
	for _, b := range open {
		if b.Login == keep {
			continue
		}
		if err := s.ended(ctx, b.Login); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) ended(ctx context.Context, login sandstorm.LoginID) error {
	if s.o.Ended == nil {
		return nil
	}
	return s.o.Ended(ctx, login)
}

// Suspend shuts an account out and ends all its sessions, or lets it in again.
func (s *Service) Suspend(ctx context.Context, who sandstorm.AccountID, out bool) error {
	open, err := s.o.Store.BrowserSessions(ctx, who)
	if err != nil {
		return err
	}
	var at *time.Time
	if out {
		now := s.o.Now()
		at = &now
	}
	if err := s.o.Store.SetSuspended(ctx, who, at); err != nil || !out {
		return err
	}
	for _, b := range open {
		if err := s.ended(ctx, b.Login); err != nil {
			return err
		}
	}
	return nil
}
