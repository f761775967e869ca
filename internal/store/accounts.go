package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// Account is an account as it is stored. Role is not: it follows from Admin,
// MemberBy and the server's settings, and is computed by package account at
// each check. Here it is empty, which is allowed nothing.
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

// InsertAccount records an account together with its first credential; cred may
// be nil. Conflict if the credential belongs to somebody already.
func (s *Store) InsertAccount(ctx context.Context, a *Account, cred *sandstorm.Credential) error {
	return s.write(ctx, "insert account", func(q querier) error {
		var suspended sql.NullInt64
		if a.Suspended {
			suspended = sql.NullInt64{Int64: ms(s.now()), Valid: true}
		}
		_, err := q.exec(ctx, `INSERT INTO accounts (`+accountColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			string(a.ID), a.Profile.Name, a.Profile.Handle, string(a.Profile.Pronoun), orNull(a.Profile.Picture), a.Language,
			a.Admin, a.MemberBy, ms(a.Created), ms(a.LastActive), suspended)
		if err != nil || cred == nil {
			return err
		}
		return s.insertCredential(ctx, q, cred)
	})
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

// HasAdmin reports whether somebody who is not suspended administers the
// server.
func (s *Store) HasAdmin(ctx context.Context) (bool, error) {
	n, _, err := one(ctx, s.read(), value[int64], `SELECT count(*) FROM accounts WHERE admin = $1 AND suspended_at IS NULL`, true)
	return n > 0, s.eng.wrap("look for an administrator", err)
}

// SetProfile changes how an account appears, apart from its picture, and its
// language.
func (s *Store) SetProfile(ctx context.Context, id sandstorm.AccountID, p sandstorm.Profile, language string) error {
	return s.updateOne(ctx, "set profile", noAccount(id), `UPDATE accounts SET name = $2, handle = $3, pronoun = $4, language = $5 WHERE id = $1`,
		string(id), p.Name, p.Handle, string(p.Pronoun), language)
}

// SetPicture stores an account's picture and returns its id. Empty content
// removes the picture. The old one goes away if nothing else shows it.
func (s *Store) SetPicture(ctx context.Context, id sandstorm.AccountID, content []byte) (picture sandstorm.AssetID, err error) {
	err = s.write(ctx, "set picture", func(q querier) error {
		if len(content) > 0 {
			asset := NewAsset(content)
			if err := s.putAsset(ctx, q, asset); err != nil {
				return err
			}
			picture = asset.ID
		}
		n, err := q.exec(ctx, `UPDATE accounts SET picture = $2 WHERE id = $1`, string(id), orNull(picture))
		if err != nil {
			return err
		}
		if n == 0 {
			return noAccount(id)
		}
		return dropUnusedAssets(ctx, q)
	})
	return picture, err
}

// SetAccountRights says whether an account administers the server and why it is
// a full user.
func (s *Store) SetAccountRights(ctx context.Context, id sandstorm.AccountID, admin bool, memberBy string) error {
	return s.updateOne(ctx, "set account rights", noAccount(id), `UPDATE accounts SET admin = $2, member_by = $3 WHERE id = $1`,
		string(id), admin, memberBy)
}

// SetSuspended suspends an account and ends its sessions, or with nil lets it
// in again.
func (s *Store) SetSuspended(ctx context.Context, id sandstorm.AccountID, at *time.Time) error {
	return s.write(ctx, "suspend account", func(q querier) error {
		n, err := q.exec(ctx, `UPDATE accounts SET suspended_at = $2 WHERE id = $1`, string(id), msOrNull(at))
		if err != nil || n == 0 {
			return orMissing(err, noAccount(id))
		}
		if at == nil {
			return nil
		}
		for _, stmt := range []string{`DELETE FROM grain_sessions WHERE account = $1`, `DELETE FROM browser_sessions WHERE account = $1`} {
			if _, err := q.exec(ctx, stmt, string(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// orMissing is err, or that there was no such row.
func orMissing(err error, missing *sandstorm.Error) error {
	if err != nil {
		return err
	}
	return missing
}
