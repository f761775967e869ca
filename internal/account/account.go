// Package account knows people: who is signed in, what they may do here, how
// they appear to others, and how they prove who they are. One account has one
// profile and any number of credentials (shell.md §2).
package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/mail"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

const (
	// SessionLife is how long a browser stays signed in after its last use.
	SessionLife = 90 * 24 * time.Hour
	// touchEvery is how often a use is written down.
	touchEvery = time.Hour
)

// Options are what a Service works with.
type Options struct {
	Store *store.Store
	// Policy says who is a full user without having been made one. It is asked
	// at each check, so that a change works at once. nil means nobody.
	Policy func(ctx context.Context) (Policy, error)
	// DevAccounts allows development accounts: anybody may sign in as anybody.
	DevAccounts bool
	// Welcome is called once for each new account, to give it its first apps;
	// may be nil. If it fails the account stays, and the failure is logged.
	Welcome func(ctx context.Context, who sandstorm.AccountID) error
	// Ended is called when a browser session ended before its time, so that what
	// was opened through it ends too; may be nil.
	Ended func(ctx context.Context, login sandstorm.LoginID) error
	Log   *slog.Logger
	Now   func() time.Time
}

// Policy says who is a full user without having been made one.
type Policy struct {
	OpenSignUp bool     // everyone who signs in
	Domains    []string // everyone with a verified address there; *.x means below x
}

// covers reports whether the policy makes the holder of a verified address a
// full user.
func (p Policy) covers(address string) bool {
	a, err := mail.ParseAddress(address)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(p.Domains, func(pattern string) bool {
		pattern = strings.ToLower(pattern)
		if parent, ok := strings.CutPrefix(pattern, "*."); ok {
			return parent != "" && strings.HasSuffix(a.Domain(), "."+parent)
		}
		return pattern != "" && a.Domain() == pattern
	})
}

// Service applies the rules of accounts. Its methods may be called
// concurrently.
type Service struct{ o Options }

// New makes a Service.
func New(o Options) *Service {
	if o.Policy == nil {
		o.Policy = func(context.Context) (Policy, error) { return Policy{}, nil }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{o}
}

// LoginOf is the name of the browser session that a cookie stands for.
func LoginOf(cookie sandstorm.Secret) sandstorm.LoginID {
	sum := sha256.Sum256([]byte(cookie.Reveal()))
	return sandstorm.LoginID(hex.EncodeToString(sum[:]))
}

// newCookie makes the secret of a browser session: 43 characters, 256 bits.
func newCookie() sandstorm.Secret {
	var b [32]byte
	rand.Read(b[:])
	return sandstorm.Secret(base64.RawURLEncoding.EncodeToString(b[:]))
}

// cookieLength is how long newCookie's secrets are.
const cookieLength = 43

func notSignedIn() *sandstorm.Error {
	return sandstorm.Errorf(sandstorm.Denied, "auth.sign-in", "no browser session, or it expired")
}

func suspended(id sandstorm.AccountID) *sandstorm.Error {
	return sandstorm.Errorf(sandstorm.Denied, "account.suspended", "account %s is suspended", id)
}

// Authenticate returns the account that a browser's cookie stands for, with its
// role and its Login. It is Denied if there is none, it expired, or the account
// is suspended. Each use moves the expiry.
func (s *Service) Authenticate(ctx context.Context, cookie sandstorm.Secret) (*sandstorm.Account, error) {
	if len(cookie) != cookieLength {
		return nil, notSignedIn()
	}
	b, rec, err := s.o.Store.BrowserSession(ctx, LoginOf(cookie))
	if err != nil {
		if sandstorm.IsKind(err, sandstorm.NotFound) {
			return nil, notSignedIn()
		}
		return nil, err
	}
	if rec.Suspended {
		return nil, suspended(rec.ID)
	}
	if now := s.o.Now(); now.Sub(b.LastUsed) >= touchEvery {
		if err := s.o.Store.TouchBrowserSession(ctx, b.Login, now, now.Add(SessionLife)); err != nil {
			return nil, err
		}
	}
	a, err := s.withRole(ctx, rec)
	if err != nil {
		return nil, err
	}
	a.Login = b.Login
	return a, nil
}

// withRole computes what the account may do now (shell.md §2).
func (s *Service) withRole(ctx context.Context, rec *store.Account) (*sandstorm.Account, error) {
	a := rec.Account
	a.Role = sandstorm.RoleVisitor
	switch {
	case rec.Admin:
		a.Role = sandstorm.RoleAdmin
		return &a, nil
	case rec.MemberBy != "":
		a.Role = sandstorm.RoleUser
		return &a, nil
	}
	policy, err := s.o.Policy(ctx)
	if err != nil {
		return nil, err
	}
	if policy.OpenSignUp {
		a.Role = sandstorm.RoleUser
		return &a, nil
	}
	if len(policy.Domains) == 0 {
		return &a, nil
	}
	creds, err := s.o.Store.Credentials(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(creds, func(c sandstorm.Credential) bool { return policy.covers(c.Email) }) {
		a.Role = sandstorm.RoleUser
	}
	return &a, nil
}

// Get returns an account with its role, or NotFound.
func (s *Service) Get(ctx context.Context, id sandstorm.AccountID) (*sandstorm.Account, error) {
	rec, err := s.o.Store.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.withRole(ctx, rec)
}

// List returns all accounts with their roles, oldest first.
func (s *Service) List(ctx context.Context) ([]sandstorm.Account, error) {
	recs, err := s.o.Store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]sandstorm.Account, 0, len(recs))
	for _, rec := range recs {
		a, err := s.withRole(ctx, rec)
		if err != nil {
			return nil, err
		}
		out = append(out, *a)
	}
	return out, nil
}
