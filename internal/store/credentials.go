package store

import (
	"context"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

const credentialColumns = `id, account, service, subject, email, created_at`

func scanCredential(row scanner) (c sandstorm.Credential, err error) {
	var created int64
	err = row.Scan(&c.ID, &c.Account, &c.Service, &c.Subject, &c.Email, &created)
	c.Created = fromMS(created)
	return c, err
}

// InsertCredential adds a way to sign in to an account. Conflict if it belongs
// to somebody already, NotFound if there is no such account.
func (s *Store) InsertCredential(ctx context.Context, c *sandstorm.Credential) error {
	return s.write(ctx, "insert credential", func(q querier) error { return s.insertCredential(ctx, q, c) })
}

func (s *Store) insertCredential(ctx context.Context, q querier, c *sandstorm.Credential) error {
	_, err := q.exec(ctx, `INSERT INTO credentials (`+credentialColumns+`, folded) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		string(c.ID), string(c.Account), c.Service, c.Subject, c.Email, ms(c.Created), Fold(c.Subject))
	switch s.eng.classify(err) {
	case failedUnique:
		return sandstorm.Errorf(sandstorm.Conflict, "credential.taken", "credential %s signs in to an account already", c.ID)
	case failedForeign:
		return noAccount(c.Account)
	}
	return err
}

// Fold is the form by which a subject is found however it is typed.
func Fold(subject string) string { return strings.ToLower(subject) }

// Credentials returns an account's ways to sign in, oldest first.
func (s *Store) Credentials(ctx context.Context, who sandstorm.AccountID) ([]sandstorm.Credential, error) {
	out, err := list(ctx, s.read(), scanCredential, `SELECT `+credentialColumns+` FROM credentials
		WHERE account = $1 ORDER BY created_at, id`, string(who))
	return out, s.eng.wrap("read credentials", err)
}

// FindCredentials returns the credentials of a service whose subject is the
// given one but for upper and lower case.
func (s *Store) FindCredentials(ctx context.Context, service, subject string) ([]sandstorm.Credential, error) {
	out, err := list(ctx, s.read(), scanCredential, `SELECT `+credentialColumns+` FROM credentials
		WHERE service = $1 AND folded = $2 ORDER BY created_at, id`, service, Fold(subject))
	return out, s.eng.wrap("find credential", err)
}

// DeleteCredential takes a way to sign in from an account and ends the sessions
// that were begun with it. NotFound if it is not this account's, Conflict if it
// is the last one.
func (s *Store) DeleteCredential(ctx context.Context, who sandstorm.AccountID, id sandstorm.CredentialID) error {
	return s.write(ctx, "delete credential", func(q querier) error {
		if _, err := q.exec(ctx, `DELETE FROM grain_sessions WHERE login IN
			(SELECT token_hash FROM browser_sessions WHERE credential = $1 AND account = $2)`, string(id), string(who)); err != nil {
			return err
		}
		n, err := q.exec(ctx, `DELETE FROM credentials WHERE id = $1 AND account = $2`, string(id), string(who))
		if err != nil || n == 0 {
			return orMissing(err, sandstorm.Errorf(sandstorm.NotFound, "credential.not-found", "account %s has no credential %.80q", who, string(id)))
		}
		left, _, err := one(ctx, q, value[int64], `SELECT count(*) FROM credentials WHERE account = $1`, string(who))
		if err == nil && left == 0 {
			return sandstorm.Errorf(sandstorm.Conflict, "credential.last", "credential %s is the last of account %s", id, who)
		}
		return err
	})
}
