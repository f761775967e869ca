package store

import (
	"context"
	"embed"
	"io/fs"
	"os"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrate brings the schema up to date. It only goes forward; a database that
// newer releases have changed is fine as long as they declared that this one
// can still work with it (style.md §3).
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return s.eng.wrap("migrate", err)
	}
	return s.migrateTo(ctx, files)
}

func (s *Store) migrateTo(ctx context.Context, files fs.FS) error {
	opts := []goose.ProviderOption{goose.WithSlog(s.log), goose.WithDisableGlobalRegistry(true)}
	if s.eng == postgresEngine {
		// Several servers may start at once on one database.
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return s.eng.wrap("migrate", err)
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(s.eng.dialect, s.w, files, opts...)
	if err != nil {
		return s.eng.wrap("migrate", err)
	}
	sources := p.ListSources()
	known := sources[len(sources)-1].Version
	if err := s.checkCompatible(ctx, known); err != nil {
		return err
	}
	done, err := p.Up(ctx)
	if err != nil {
		return s.eng.wrap("migrate the database", err)
	}
	for _, m := range done {
		s.log.InfoContext(ctx, "database migrated", "version", m.Source.Version, "dur", m.Duration)
	}
	return nil
}

// checkCompatible refuses a database whose schema needs a newer release.
func (s *Store) checkCompatible(ctx context.Context, known int64) error {
	tables, _, err := one(ctx, s.read(), value[int64], s.eng.hasTable, "schema_versions")
	if err != nil {
		return s.eng.wrap("read the schema version", err)
	}
	if tables == 0 {
		return nil
	}
	release, newer, err := one(ctx, s.read(), value[string],
		`SELECT oldest_release FROM schema_versions WHERE oldest_schema > $1 ORDER BY oldest_schema DESC LIMIT 1`, known)
	if err != nil {
		return s.eng.wrap("read the schema version", err)
	}
	if newer {
		return sandstorm.Errorf(sandstorm.Conflict, "store.too-new",
			"the database was changed by a newer release: this one is too old for it; install release %s or newer", release).With("release", release)
	}
	return nil
}

// lockMigrations lets only one process of this data directory migrate at a
// time. The lock falls with the process.
func lockMigrations(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unavailable("lock the database", err)
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			f.Close()
			return nil, unavailable("lock the database", err)
		}
		// flock has no deadline of its own.
		again := time.NewTimer(50 * time.Millisecond)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			f.Close()
			return nil, unavailable("wait for another process that migrates the database", ctx.Err())
		}
	}
}
