package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// Account is an account as it is stored. Role is not: it follows from Admin,
// MemberBy and the server's settings, and is computed by package account at
// each check.
type Account struct {
	sandstorm.Account
	Admin bool
	// MemberBy says why the account is a full user whatever the settings are:
	// "admin", "command", …; empty if it is not.
	MemberBy string
}

func noAccount(id sandstorm.AccountID) *sandstorm.Error {
	return sandstorm.Errorf(sandstorm.NotFound, "account.not-found", "no account %.80q", string(id))
}

const accountColumns = `id, name, handle, pronoun, picture, language, admin, member_by, created_at, last_active, suspended_at`

func scanAccount(row scanner) (*Account, error) {
	var a Account
	var created, active int64
	var picture sql.NullString
	var suspended sql.NullInt64
	err := row.Scan(&a.ID, &a.Profile.Name, &a.Profile.Handle, &a.Profile.Pronoun, &picture, &a.Language,
		&a.Admin, &a.MemberBy, &created, &active, &suspended)
	a.Profile.Picture = sandstorm.AssetID(picture.String)
	a.Created, a.LastActive, a.Suspended = fromMS(created), fromMS(active), suspended.Valid
	return &a, err
}

// InsertAccount records an account without credentials.
func (s *Store) InsertAccount(ctx context.Context, a *Account) error {
	return s.write(ctx, "insert account", func(q querier) error { return s.insertAccount(ctx, q, a) })
}

func (s *Store) insertAccount(ctx context.Context, q querier, a *Account) error {
	var suspended *time.Time
	if a.Suspended {
		now := s.now()
		suspended = &now
	}
	_, err := q.exec(ctx, `INSERT INTO accounts (`+accountColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		string(a.ID), a.Profile.Name, a.Profile.Handle, string(a.Profile.Pronoun), orNull(a.Profile.Picture), a.Language,
		a.Admin, a.MemberBy, ms(a.Created), ms(a.LastActive), msOrNull(suspended))
	return err
}

// Account returns an account, or NotFound.
func (s *Store) Account(ctx context.Context, id sandstorm.AccountID) (*Account, error) {
	a, ok, err := one(ctx, s.read(), scanAccount, `SELECT `+accountColumns+` FROM accounts WHERE id = $1`, string(id))
	if err != nil {
		return nil, s.eng.wrap("read account", err)
	}
	if !ok {
		return nil, noAccount(id)
	}
	return a, nil
}

// Accounts returns all accounts, oldest first.
func (s *Store) Accounts(ctx context.Context) ([]*Account, error) {
	out, err := list(ctx, s.read(), scanAccount, `SELECT `+accountColumns+` FROM accounts ORDER BY created_at, id`)
	return out, s.eng.wrap("read accounts", err)
}
