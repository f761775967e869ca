package store_test

import (
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/store"
	"github.com/sandstorm-go/sandstorm/internal/store/pgtest"
	"github.com/sandstorm-go/sandstorm/internal/store/storetest"
)

func open(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	if o.DataDir == "" {
		o.DataDir = t.TempDir()
	}
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Store { return open(t, store.Options{}) })
}

func TestPostgres(t *testing.T) {
	srv := pgtest.Start(t)
	storetest.Run(t, func(t *testing.T) *store.Store { return open(t, store.Options{PostgresURL: srv.Database(t)}) })
}
