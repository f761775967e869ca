package store

import (
	"context"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// BrowserSession is a sign-in of one browser. The cookie itself is not kept.
type BrowserSession struct {
	Login      sandstorm.LoginID // hash of the cookie
	Account    sandstorm.AccountID
	Credential sandstorm.CredentialID // what it was begun with
	Created    time.Time
	LastUsed   time.Time
	Expires    time.Time
}

// InsertBrowserSession records a sign-in and ends those that expired. NotFound
// if the account or the credential is gone.
func (s *Store) InsertBrowserSession(ctx context.Context, b *BrowserSession) error {
	return s.write(ctx, "insert browser session", func(q querier) error {
		if err := endBrowserSessions(ctx, q, `expires_at <= $1`, ms(s.now())); err != nil {
			return err
		}
		_, err := q.exec(ctx, `INSERT INTO browser_sessions (token_hash, account, credential, created_at, last_used, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6)`,
			string(b.Login), string(b.Account), orNull(b.Credential), ms(b.Created), ms(b.LastUsed), ms(b.Expires))
		if s.eng.classify(err) == failedForeign {
			return noAccount(b.Account)
		}
		return err
	})
}

// BrowserSession returns a sign-in that has not expired, with its account.
// NotFound if there is none.
func (s *Store) BrowserSession(ctx context.Context, login sandstorm.LoginID) (*BrowserSession, *Account, error) {
	type found struct {
		BrowserSession
		account *Account
	}
	f, ok, err := one(ctx, s.read(), func(row scanner) (f found, err error) {
		var credential *string
		var created, used, expires int64
		f.account, err = scanAccount(prefixed{row, []any{&f.Login, &credential, &created, &used, &expires}})
		if credential != nil {
			f.Credential = sandstorm.CredentialID(*credential)
		}
		f.Created, f.LastUsed, f.Expires = fromMS(created), fromMS(used), fromMS(expires)
		return f, err
	}, `SELECT b.token_hash, b.credential, b.created_at, b.last_used, b.expires_at,
			a.id, a.name, a.handle, a.pronoun, a.picture, a.language, a.admin, a.member_by, a.created_at, a.last_active, a.suspended_at
		FROM browser_sessions b JOIN accounts a ON a.id = b.account WHERE b.token_hash = $1 AND b.expires_at > $2`,
		string(login), ms(s.now()))
	if err != nil {
		return nil, nil, s.eng.wrap("read browser session", err)
	}
	if !ok {
		return nil, nil, sandstorm.Errorf(sandstorm.NotFound, "login.ended", "no such browser session, or it expired")
	}
	f.BrowserSession.Account = f.account.ID
	return &f.BrowserSession, f.account, nil
}

// prefixed scans further columns before those of an account.
type prefixed struct {
	row   scanner
	first []any
}

func (p prefixed) Scan(dest ...any) error { return p.row.Scan(append(p.first, dest...)...) }

// TouchBrowserSession records a use of a sign-in and with it of its account,
// and moves the expiry.
func (s *Store) TouchBrowserSession(ctx context.Context, login sandstorm.LoginID, used, expires time.Time) error {
	return s.write(ctx, "touch browser session", func(q querier) error {
		n, err := q.exec(ctx, `UPDATE browser_sessions SET last_used = $2, expires_at = $3 WHERE token_hash = $1 AND last_used < $2`,
			string(login), ms(used), ms(expires))
		if err != nil || n == 0 {
			return err // gone, or touched meanwhile by another request
		}
		_, err = q.exec(ctx, `UPDATE accounts SET last_active = $2 WHERE id = (SELECT account FROM browser_sessions WHERE token_hash = $1)
			AND last_active < $2`, string(login), ms(used))
		return err
	})
}

// BrowserSessions returns the sign-ins of an account, last used first.
func (s *Store) BrowserSessions(ctx context.Context, who sandstorm.AccountID) ([]BrowserSession, error) {
	out, err := list(ctx, s.read(), func(row scanner) (b BrowserSession, err error) {
		var credential *string
		var created, used, expires int64
		err = row.Scan(&b.Login, &b.Account, &credential, &created, &used, &expires)
		if credential != nil {
			b.Credential = sandstorm.CredentialID(*credential)
		}
		b.Created, b.LastUsed, b.Expires = fromMS(created), fromMS(used), fromMS(expires)
		return b, err
	}, `SELECT token_hash, account, credential, created_at, last_used, expires_at FROM browser_sessions
		WHERE account = $1 AND expires_at > $2 ORDER BY last_used DESC, token_hash`, string(who), ms(s.now()))
	return out, s.eng.wrap("read browser sessions", err)
}

// DeleteBrowserSession signs a browser out and ends the grain sessions that
// were opened through it. One that is gone is no error.
func (s *Store) DeleteBrowserSession(ctx context.Context, login sandstorm.LoginID) error {
	return s.write(ctx, "sign out", func(q querier) error {
		return endBrowserSessions(ctx, q, `token_hash = $1`, string(login))
	})
}

// DeleteBrowserSessions signs an account out everywhere but in the browser
// session keep, which may be empty, and ends the grain sessions that were opened
// through those.
func (s *Store) DeleteBrowserSessions(ctx context.Context, who sandstorm.AccountID, keep sandstorm.LoginID) error {
	return s.write(ctx, "sign out everywhere", func(q querier) error {
		return endBrowserSessions(ctx, q, `account = $1 AND token_hash <> $2`, string(who), string(keep))
	})
}

// DeleteBrowserSessionsOfService signs everybody out who signed in with a
// credential of that service, for when it is not allowed any more.
func (s *Store) DeleteBrowserSessionsOfService(ctx context.Context, service string) error {
	return s.write(ctx, "sign out of service", func(q querier) error {
		return endBrowserSessions(ctx, q, `credential IN (SELECT id FROM credentials WHERE service = $1)`, service)
	})
}

func endBrowserSessions(ctx context.Context, q querier, where string, args ...any) error {
	for _, stmt := range []string{
		`DELETE FROM grain_sessions WHERE login IN (SELECT token_hash FROM browser_sessions WHERE ` + where + `)`,
		`DELETE FROM browser_sessions WHERE ` + where,
	} {
		if _, err := q.exec(ctx, stmt, args...); err != nil {
			return err
		}
	}
	return nil
}
