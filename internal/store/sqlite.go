package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var sqliteEngine = &engine{
	name:     "sqlite",
	dialect:  goose.DialectSQLite3,
	hasTable: `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1`,
	classify: classifySQLite,
}

// openSQLite opens the file twice: one connection that writes, so that writers
// queue here instead of failing in SQLite, and a pool that can only read.
func (s *Store) openSQLite(path string) error {
	// SQLite would make the file readable by everybody; its companions (-wal,
	// -shm) copy the mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return unavailable("open the database file", err)
	}
	if err := f.Close(); err != nil {
		return unavailable("open the database file", err)
	}
	if s.w, err = sql.Open("sqlite", sqliteDSN(path, "immediate", false)); err != nil {
		return unavailable("open sqlite", err)
	}
	s.w.SetMaxOpenConns(1)
	if s.r, err = sql.Open("sqlite", sqliteDSN(path, "deferred", true)); err != nil {
		return errors.Join(unavailable("open sqlite", err), s.w.Close())
	}
	readers := max(4, 2*runtime.NumCPU())
	s.r.SetMaxOpenConns(readers)
	s.r.SetMaxIdleConns(readers)
	s.eng = sqliteEngine
	return nil
}

// sqliteDSN sets what style.md §3 asks of every connection. FULL makes a commit
// survive a power cut, not only a crash.
func sqliteDSN(path, lock string, readOnly bool) string {
	q := url.Values{"_txlock": {lock}}
	for _, pragma := range []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "trusted_schema(0)"} {
		q.Add("_pragma", pragma)
	}
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	}
	return fmt.Sprintf("file:%s?%s", (&url.URL{Path: path}).EscapedPath(), q.Encode())
}

func classifySQLite(err error) failure {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return failedOther
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return failedUnique
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return failedForeign
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return failedDown
	}
	return failedOther
}
