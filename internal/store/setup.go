package store

import (
	"context"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// BeginSetup starts a set-up session in place of any other. hash is the SHA-256
// of its secret.
func (s *Store) BeginSetup(ctx context.Context, hash string, expires time.Time) error {
	return s.write(ctx, "begin set-up", func(q querier) error {
		if _, err := q.exec(ctx, `DELETE FROM setup_sessions`); err != nil {
			return err
		}
		_, err := q.exec(ctx, `INSERT INTO setup_sessions (token_hash, expires_at) VALUES ($1, $2)`, hash, ms(expires))
		return err
	})
}

func noSetup() *sandstorm.Error {
	return sandstorm.Errorf(sandstorm.Denied, "setup.ended", "no such set-up session, or it expired")
}

// CheckSetup is Denied unless this set-up session is under way.
func (s *Store) CheckSetup(ctx context.Context, hash string) error {
	return s.eng.wrap("check set-up", s.checkSetup(ctx, s.read(), hash))
}

func (s *Store) checkSetup(ctx context.Context, q querier, hash string) error {
	_, ok, err := one(ctx, q, value[int64], `SELECT expires_at FROM setup_sessions WHERE token_hash = $1 AND expires_at > $2`, hash, ms(s.now()))
	if err == nil && !ok {
		return noSetup()
	}
	return err
}

// FinishSetup makes an account an administrator and ends the set-up session, or
// does neither. A suspended account is Denied.
func (s *Store) FinishSetup(ctx context.Context, hash string, who sandstorm.AccountID) error {
	return s.write(ctx, "finish set-up", func(q querier) error {
		if err := s.checkSetup(ctx, q, hash); err != nil {
			return err
		}
		a, ok, err := one(ctx, q, scanAccount, `SELECT `+accountColumns+` FROM accounts WHERE id = $1`, string(who))
		if err != nil || !ok {
			return orMissing(err, noAccount(who))
		}
		if a.Suspended {
			return sandstorm.Errorf(sandstorm.Denied, "account.suspended", "account %s is suspended", who)
		}
		if _, err := q.exec(ctx, `UPDATE accounts SET admin = $2, member_by = 'admin' WHERE id = $1`, string(who), true); err != nil {
			return err
		}
		_, err = q.exec(ctx, `DELETE FROM setup_sessions`)
		return err
	})
}
