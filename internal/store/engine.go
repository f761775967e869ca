package store

import (
	"context"
	"errors"

	"github.com/pressly/goose/v3"

	"github.com/sandstorm-go/sandstorm"
)

// engine is what differs between the two databases besides their drivers. The
// statements are the same.
type engine struct {
	name     string
	dialect  goose.Dialect
	hasTable string // a query with one parameter that counts tables of that name
	classify func(error) failure
	// check refuses a database that cannot hold our records; may be nil.
	check func(ctx context.Context, q querier) error
}

// failure is what an engine's error means to us.
type failure uint8

const (
	failedOther   failure = iota
	failedUnique          // a row with this key is there already
	failedForeign         // a row refers to one that is not there, or is referred to
	failedRetry           // lost a race against another transaction; may be repeated
	failedDown            // no connection, no disk space, locked for too long
)

// wrap makes an error of a statement a *sandstorm.Error, unless it is one. The
// keys are general; methods that know better replace them.
func (e *engine) wrap(op string, err error) error {
	var known *sandstorm.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return sandstorm.Errorf(sandstorm.Unavailable, "store.canceled", "store: %s: %w", op, err)
	}
	switch e.classify(err) {
	case failedUnique:
		return sandstorm.Errorf(sandstorm.Conflict, "store.exists", "store: %s: %w", op, err)
	case failedForeign:
		return sandstorm.Errorf(sandstorm.Conflict, "store.referenced", "store: %s: %w", op, err)
	case failedRetry, failedDown:
		return unavailable(op, err)
	}
	return sandstorm.Errorf(sandstorm.Internal, "store.failed", "store: %s: %w", op, err)
}

func unavailable(op string, err error) error {
	return sandstorm.Errorf(sandstorm.Unavailable, "store.unavailable", "store: %s: %w", op, err)
}
