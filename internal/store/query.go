package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sandstorm-go/sandstorm"
)

// maxAttempts bounds how often a transaction is repeated that lost a race.
const maxAttempts = 20

// querier is a place to run statements: a pool or a transaction.
type querier struct {
	c interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	eng *engine
}

// scanner is a row to read.
type scanner interface{ Scan(dest ...any) error }

// read is for statements that change nothing.
func (s *Store) read() querier { return querier{s.r, s.eng} }

// write runs f in one serialisable transaction. f may run several times, so it
// must do nothing but query.
func (s *Store) write(ctx context.Context, op string, f func(q querier) error) error {
	for attempt := 1; ; attempt++ {
		err := s.writeOnce(ctx, f)
		if err == nil {
			s.reserve.keep()
			return nil
		}
		if s.reserve.giveUp(ctx, err) {
			continue
		}
		if s.eng.classify(err) != failedRetry || attempt == maxAttempts {
			return s.eng.wrap(op, err)
		}
		pause := time.NewTimer(rand.N(time.Millisecond << min(attempt, 8)))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return s.eng.wrap(op, ctx.Err())
		}
	}
}

func (s *Store) writeOnce(ctx context.Context, f func(q querier) error) error {
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(querier{tx, s.eng}); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// ignoreDone drops the error of rolling back a transaction that a cancelled
// context has rolled back already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// update runs one statement in a transaction of its own and returns how many
// rows it changed.
func (s *Store) update(ctx context.Context, op, query string, args ...any) (n int64, err error) {
	err = s.write(ctx, op, func(q querier) error {
		n, err = q.exec(ctx, query, args...)
		return err
	})
	return n, err
}

// updateOne is update for one row that must exist.
func (s *Store) updateOne(ctx context.Context, op string, missing *sandstorm.Error, query string, args ...any) error {
	n, err := s.update(ctx, op, query, args...)
	if err == nil && n == 0 {
		return missing
	}
	return err
}

func (q querier) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := checkText(args); err != nil {
		return 0, err
	}
	res, err := q.c.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// list reads all rows of a query.
func list[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) (out []T, err error) {
	if err := checkText(args); err != nil {
		return nil, err
	}
	rows, err := q.c.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// one reads the first row of a query; ok is false if there is none.
func one[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) (v T, ok bool, err error) {
	all, err := list(ctx, q, scan, query, args...)
	if err != nil || len(all) == 0 {
		return v, false, err
	}
	return all[0], true, nil
}

// value scans a single column.
func value[T any](row scanner) (v T, err error) {
	err = row.Scan(&v)
	return v, err
}

// checkText refuses what PostgreSQL cannot store and SQLite would: both engines
// shall give the same answer.
func checkText(args []any) error {
	for _, arg := range args {
		if s, ok := arg.(string); ok && (!utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0) {
			return sandstorm.Errorf(sandstorm.Invalid, "store.bad-text", "store: text is not UTF-8 or holds a NUL")
		}
	}
	return nil
}

// ms is how times are stored.
func ms(t time.Time) int64 { return t.UnixMilli() }

// msOrNull is ms for a time that may be absent.
func msOrNull(t *time.Time) sql.NullInt64 {
	if t == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: ms(*t), Valid: true}
}

func fromMS(v int64) time.Time { return time.UnixMilli(v).UTC() }

func fromMSOrNull(v sql.NullInt64) *time.Time {
	if !v.Valid {
		return nil
	}
	t := fromMS(v.Int64)
	return &t
}

// orNull stores an empty text as NULL, for optional references.
func orNull[T ~string](s T) sql.NullString { return sql.NullString{String: string(s), Valid: s != ""} }
