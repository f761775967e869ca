// Package dev signs anybody in as anybody, by name, for development. It works
// only on servers whose configuration allows it, and those must never be public.
package dev

import (
	"context"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/account"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// AdminName is the name that signs in as an administrator.
const AdminName = "admin"

// Service signs development accounts in.
type Service struct {
	store    *store.Store
	accounts *account.Service
	allowed  bool
}

// New makes a Service. allowed is what the configuration says.
func New(st *store.Store, accounts *account.Service, allowed bool) *Service {
	return &Service{store: st, accounts: accounts, allowed: allowed}
}

// Allowed reports whether this way to sign in is open.
func (s *Service) Allowed() bool { return s.allowed }

// Close ends the sessions that were begun with development accounts, if they
// are not allowed any more. The server calls it when it starts.
func (s *Service) Close(ctx context.Context) error {
	if s.allowed {
		return nil
	}
	return s.store.DeleteBrowserSessionsOfService(ctx, account.ServiceDev)
}

// SignIn signs in the development account of that name, which it makes the
// first time. It is a full user, and "admin" an administrator.
func (s *Service) SignIn(ctx context.Context, name string) (account.SignedIn, error) {
	if !s.allowed {
		return account.SignedIn{}, sandstorm.Errorf(sandstorm.Denied, "login.no-dev", "development accounts are not allowed")
	}
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 100 {
		return account.SignedIn{}, sandstorm.Errorf(sandstorm.Invalid, "account.bad-name", "unusable name of %d bytes", len(name))
	}
	p := account.Proof{Service: account.ServiceDev, Subject: name, Name: name, Member: "dev"}
	if strings.EqualFold(name, AdminName) {
		p.Admin, p.Member = true, "admin"
	}
	known, err := s.store.FindCredentials(ctx, account.ServiceDev, name)
	if err != nil {
		return account.SignedIn{}, err
	}
	if len(known) > 0 {
		p.Subject = known[0].Subject // "alice" is Alice
	}
	return s.accounts.SignIn(ctx, p)
}
