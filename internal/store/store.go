// Package store keeps the server's records: accounts and how they sign in,
// packages, grains, sessions, leases and settings. It is all the SQL there is.
//
// The same hand-written statements run on SQLite (the default, one file, no
// set-up) and on PostgreSQL. Every change is one transaction, serialisable on
// both engines, and durable when the method returns. Times are kept in Unix
// milliseconds: what is read back is truncated to them and in UTC.
//
// The store knows shapes and references, not rules: who may do what is for its
// callers to decide. Errors are *sandstorm.Error.
package store

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// Options say where the records are.
type Options struct {
	// DataDir is the server's data directory. The host key is
	// DataDir/server/host.key and the SQLite file DataDir/server/sandstorm.db.
	DataDir string
	// SQLitePath overrides the place of the SQLite file.
	SQLitePath string
	// PostgresURL, if set, selects PostgreSQL: postgres://user@host/name.
	PostgresURL sandstorm.Secret
	// DiscardSecrets gives up all sealed values and adopts the host key that is
	// there. It is the way on after the host key was lost.
	DiscardSecrets bool
	// Log gets what an administrator should know; nil discards it.
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Store is an open database. Its methods may be called concurrently.
type Store struct {
	eng *engine
	w   *sql.DB // SQLite: the one writing connection
	r   *sql.DB // reads, outside of transactions
	box *box
	log *slog.Logger
	now func() time.Time
	// reserve is nil for a database that lies elsewhere.
	reserve *reserve
}

// Open opens the database, makes it if it is not there, and brings its schema
// up to date. A database that needs a newer release is refused as Conflict.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.DataDir == "" {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "store.no-data-dir", "open store: no data directory given")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	dir := filepath.Join(o.DataDir, "server")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unavailable("make the data directory", err)
	}
	s := &Store{log: o.Log, now: o.Now}
	key, err := loadHostKey(filepath.Join(dir, hostKeyFile))
	if err != nil {
		return nil, err
	}
	s.box = newBox(key)
	if o.PostgresURL != "" {
		err = s.openPostgres(o.PostgresURL)
	} else {
		if o.SQLitePath == "" {
			o.SQLitePath = filepath.Join(dir, "sandstorm.db")
		}
		s.reserve = &reserve{path: filepath.Join(dir, "reserve"), log: o.Log}
		err = s.openSQLite(o.SQLitePath)
	}
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, dir, o.DiscardSecrets); err != nil {
		s.Close()
		return nil, err
	}
	s.reserve.keep()
	return s, nil
}

func (s *Store) prepare(ctx context.Context, dir string, discard bool) error {
	unlock, err := lockMigrations(ctx, filepath.Join(dir, "migrate.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if s.eng.check != nil {
		if err := s.eng.check(ctx, s.read()); err != nil {
			return err
		}
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	return s.checkHostKey(ctx, discard)
}

// Engine is "sqlite" or "postgres".
func (s *Store) Engine() string { return s.eng.name }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.r.PingContext(ctx); err != nil {
		return s.eng.wrap("ping", err)
	}
	return nil
}

// Close closes all connections.
func (s *Store) Close() error {
	err := s.r.Close()
	if s.w != s.r {
		if werr := s.w.Close(); err == nil {
			err = werr
		}
	}
	return err
}
