package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

func noSession(host sandstorm.HostID) *sandstorm.Error {
	return sandstorm.Errorf(sandstorm.NotFound, "session.not-found", "no grain session %s…", host.Short())
}

const sessionColumns = `host, tab, grain, account, login, created_at, last_used`

func scanSession(row scanner) (*sandstorm.GrainSession, error) {
	var g sandstorm.GrainSession
	var account sql.NullString
	var created, used int64
	err := row.Scan(&g.Host, &g.Tab, &g.Grain, &account, &g.Login, &created, &used)
	g.Account = sandstorm.AccountID(account.String)
	g.Created, g.LastUsed = fromMS(created), fromMS(used)
	return &g, err
}

// InsertGrainSession records a new session. Conflict if the host is taken,
// NotFound if the grain does not exist, Denied if the browser session that it
// shall end with has ended already: nobody would end it then.
func (s *Store) InsertGrainSession(ctx context.Context, g *sandstorm.GrainSession) error {
	return s.write(ctx, "insert grain session", func(q querier) error { return s.insertGrainSession(ctx, q, g) })
}

func (s *Store) insertGrainSession(ctx context.Context, q querier, g *sandstorm.GrainSession) error {
	if g.Login != "" {
		_, ok, err := one(ctx, q, value[string], `SELECT token_hash FROM browser_sessions WHERE token_hash = $1`, string(g.Login))
		if err != nil {
			return err
		}
		if !ok {
			return sandstorm.Errorf(sandstorm.Denied, "auth.sign-in", "the browser session has ended")
		}
	}
	_, err := q.exec(ctx, `INSERT INTO grain_sessions (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		string(g.Host), string(g.Tab), string(g.Grain), orNull(g.Account), string(g.Login), ms(g.Created), ms(g.LastUsed))
	if s.eng.classify(err) == failedForeign {
		return noGrain(g.Grain)
	}
	return err
}

// GrainSession returns the session of a host, or NotFound.
func (s *Store) GrainSession(ctx context.Context, host sandstorm.HostID) (*sandstorm.GrainSession, error) {
	g, ok, err := one(ctx, s.read(), scanSession, `SELECT `+sessionColumns+` FROM grain_sessions WHERE host = $1`, string(host))
	if err != nil {
		return nil, s.eng.wrap("read grain session", err)
	}
	if !ok {
		return nil, noSession(host)
	}
	return g, nil
}

// GrainSessions returns a grain's sessions, last used first.
func (s *Store) GrainSessions(ctx context.Context, grain sandstorm.GrainID) ([]*sandstorm.GrainSession, error) {
	out, err := list(ctx, s.read(), scanSession, `SELECT `+sessionColumns+` FROM grain_sessions
		WHERE grain = $1 ORDER BY last_used DESC, host`, string(grain))
	return out, s.eng.wrap("read grain sessions", err)
}

// TouchGrainSession records a use, or returns NotFound if the session ended.
// The time never goes back.
func (s *Store) TouchGrainSession(ctx context.Context, host sandstorm.HostID, used time.Time) error {
	return s.updateOne(ctx, "touch grain session", noSession(host),
		`UPDATE grain_sessions SET last_used = CASE WHEN last_used < $2 THEN $2 ELSE last_used END WHERE host = $1`, string(host), ms(used))
}

// DeleteGrainSession ends one session. One that is gone is no error.
func (s *Store) DeleteGrainSession(ctx context.Context, host sandstorm.HostID) error {
	_, err := s.update(ctx, "end grain session", `DELETE FROM grain_sessions WHERE host = $1`, string(host))
	return err
}

// DeleteGrainSessions ends all sessions of a grain and returns their hosts.
func (s *Store) DeleteGrainSessions(ctx context.Context, grain sandstorm.GrainID) ([]sandstorm.HostID, error) {
	return s.endSessions(ctx, `DELETE FROM grain_sessions WHERE grain = $1 RETURNING host`, string(grain))
}

// DeleteGrainSessionsOfLogin ends all sessions that were opened through a
// browser session and returns their hosts.
func (s *Store) DeleteGrainSessionsOfLogin(ctx context.Context, login sandstorm.LoginID) ([]sandstorm.HostID, error) {
	return s.endSessions(ctx, `DELETE FROM grain_sessions WHERE login = $1 AND login <> '' RETURNING host`, string(login))
}

// DeleteGrainSessionsBefore ends the sessions that were last used before t and
// returns their hosts.
func (s *Store) DeleteGrainSessionsBefore(ctx context.Context, t time.Time) ([]sandstorm.HostID, error) {
	return s.endSessions(ctx, `DELETE FROM grain_sessions WHERE last_used < $1 RETURNING host`, ms(t))
}

func (s *Store) endSessions(ctx context.Context, query string, arg any) (hosts []sandstorm.HostID, err error) {
	err = s.write(ctx, "end grain sessions", func(q querier) error {
		hosts, err = list(ctx, q, value[sandstorm.HostID], query, arg)
		return err
	})
	return hosts, err
}
