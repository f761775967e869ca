package account

import (
	"context"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/mail"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// Create makes an account for the administrator's command. With an address the
// person signs in by a code that is mailed there; without one it is a
// development account, where these are allowed.
func (s *Service) Create(ctx context.Context, name, email string, role sandstorm.Role) (*sandstorm.Account, error) {
	name, err := cleanName(name)
	if err != nil {
		return nil, err
	}
	p := Proof{Service: ServiceDev, Subject: name, Name: name}
	switch {
	case email != "":
		a, err := mail.ParseAddress(email)
		if err != nil {
			return nil, err
		}
		p.Service, p.Subject, p.Email = ServiceEmail, a.String(), a.String()
	case !s.o.DevAccounts:
		return nil, sandstorm.Errorf(sandstorm.Invalid, "account.needs-address",
			"this server has no development accounts: say with which e-mail address the person signs in")
	}
	switch role {
	case sandstorm.RoleAdmin:
		p.Admin, p.Member = true, "admin"
	case sandstorm.RoleUser:
		p.Member = "command"
	case sandstorm.RoleVisitor:
	default:
		return nil, sandstorm.Errorf(sandstorm.Invalid, "account.bad-role", "role %.40q is none of visitor, user, admin", string(role))
	}
	// The same person under another spelling would be a second account.
	if same, err := s.o.Store.FindCredentials(ctx, p.Service, p.Subject); err != nil {
		return nil, err
	} else if len(same) > 0 {
		return nil, sandstorm.Errorf(sandstorm.Conflict, "credential.taken", "%s signs in to account %s already", same[0].Subject, same[0].Account)
	}
	rec, err := s.make(ctx, p)
	if err != nil {
		return nil, err
	}
	return s.withRole(ctx, rec)
}

// Find returns the account that a person at the command line means: by id,
// address, development name, handle or display name, in this order. Conflict if
// several fit, NotFound if none does.
func (s *Service) Find(ctx context.Context, user string) (*sandstorm.Account, error) {
	recs, err := s.o.Store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	holds := map[sandstorm.AccountID]bool{}
	for _, service := range []string{ServiceEmail, ServiceDev} {
		creds, err := s.o.Store.FindCredentials(ctx, service, user)
		if err != nil {
			return nil, err
		}
		for _, c := range creds {
			holds[c.Account] = true
		}
	}
	for _, fits := range []func(*store.Account) bool{
		func(a *store.Account) bool { return string(a.ID) == user },
		func(a *store.Account) bool { return holds[a.ID] },
		func(a *store.Account) bool { return a.Profile.Handle == user },
		func(a *store.Account) bool { return strings.EqualFold(a.Profile.Name, user) },
	} {
		var hits []*store.Account
		for _, rec := range recs {
			if fits(rec) {
				hits = append(hits, rec)
			}
		}
		if len(hits) > 1 {
			return nil, sandstorm.Errorf(sandstorm.Conflict, "account.ambiguous", "%d accounts fit %.80q: name one by its id", len(hits), user)
		}
		if len(hits) == 1 {
			return s.withRole(ctx, hits[0])
		}
	}
	return nil, sandstorm.Errorf(sandstorm.NotFound, "account.not-found", "no account fits %.80q", user)
}
