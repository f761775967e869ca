package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/sandstorm-go/sandstorm"
)

var postgresEngine = &engine{
	name:     "postgres",
	dialect:  goose.DialectPostgres,
	hasTable: `SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1`,
	classify: classifyPostgres,
	check:    checkEncoding,
}

// checkEncoding refuses a database in which names would be garbled.
func checkEncoding(ctx context.Context, q querier) error {
	encoding, _, err := one(ctx, q, value[string], `SHOW server_encoding`)
	if err != nil {
		return q.eng.wrap("connect to PostgreSQL", err)
	}
	if encoding != "UTF8" {
		return sandstorm.Errorf(sandstorm.Invalid, "store.encoding",
			"the PostgreSQL database has encoding %s: make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	return nil
}

// openPostgres makes two pools. Writes are serialisable, as they are in SQLite
// by nature, so that a rule which holds on one engine holds on the other.
func (s *Store) openPostgres(url sandstorm.Secret) error {
	pool := func(params map[string]string, n int) (*sql.DB, error) {
		cfg, err := pgx.ParseConfig(url.Reveal())
		if err != nil {
			// The parser's message may quote the URL and with it the password.
			return nil, sandstorm.Errorf(sandstorm.Invalid, "store.bad-url",
				"DATABASE_URL is not a PostgreSQL address; it looks like postgres://user:password@host:5432/database")
		}
		for k, v := range params {
			cfg.RuntimeParams[k] = v
		}
		cfg.RuntimeParams["application_name"] = "sandstorm"
		db := stdlib.OpenDB(*cfg)
		db.SetMaxOpenConns(n)
		db.SetMaxIdleConns(n)
		db.SetConnMaxIdleTime(5 * time.Minute)
		return db, nil
	}
	var err error
	if s.w, err = pool(map[string]string{"default_transaction_isolation": "serializable"}, 8); err != nil {
		return err
	}
	if s.r, err = pool(map[string]string{"default_transaction_read_only": "on"}, 16); err != nil {
		return errors.Join(err, s.w.Close())
	}
	s.eng = postgresEngine
	return nil
}

func classifyPostgres(err error) failure {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		var netErr net.Error
		var connect *pgconn.ConnectError
		if errors.As(err, &netErr) || errors.As(err, &connect) || errors.Is(err, driver.ErrBadConn) {
			return failedDown
		}
		return failedOther
	}
	switch {
	case e.Code == "23505":
		return failedUnique
	case e.Code == "23503":
		return failedForeign
	case e.Code == "40001" || e.Code == "40P01": // serialization failure, deadlock
		return failedRetry
	case strings.HasPrefix(e.Code, "08") || strings.HasPrefix(e.Code, "53") || strings.HasPrefix(e.Code, "57P"):
		return failedDown // connection lost, out of resources, shutting down
	}
	return failedOther
}
