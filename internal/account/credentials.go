package account

import (
	"context"

	"github.com/sandstorm-go/sandstorm"
)

// Credentials returns the account's ways to sign in, oldest first.
func (s *Service) Credentials(ctx context.Context, who sandstorm.AccountID) ([]sandstorm.Credential, error) {
	return s.o.Store.Credentials(ctx, who)
}

// AddCredential gives the account another way to sign in, after the person
// proved it. Conflict if it signs in to an account already.
func (s *Service) AddCredential(ctx context.Context, who sandstorm.AccountID, p Proof) error {
	return s.o.Store.InsertCredential(ctx, p.credential(who, s.o.Now()))
}

// RemoveCredential takes a way to sign in from the caller's own account and ends
// the sessions that were begun with it. Conflict if it is the last one: nobody
// could come back.
func (s *Service) RemoveCredential(ctx context.Context, who sandstorm.AccountID, id sandstorm.CredentialID) error {
	open, err := s.o.Store.BrowserSessions(ctx, who)
	if err != nil {
		return err
	}
	if err := s.o.Store.DeleteCredential(ctx, who, id); err != nil {
		return err
	}
	for _, b := range open {
		if b.Credential == id {
			if err := s.ended(ctx, b.Login); err != nil {
				return err
			}
		}
	}
	return nil
}
