package store

import (
	"database/sql"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/store/pgtest"
)

// future is the schema of a release to come: one further migration, which
// release number oldest and later can still work with.
func future(t *testing.T, oldest string) fs.FS {
	t.Helper()
	now, err := migrationFiles.ReadFile("migrations/0001_start.sql")
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"0001_start.sql": {Data: now},
		"9000_next.sql": {Data: []byte(`-- +goose Up
ALTER TABLE grains ADD COLUMN later TEXT NOT NULL DEFAULT '';
INSERT INTO schema_versions (version, release, oldest_schema, oldest_release) VALUES (9000, '2.0.0', ` + oldest + `, '1.7.0');
`)},
	}
}

func engines(t *testing.T) map[string]func(t *testing.T) Options {
	srv := pgtest.Start(t)
	return map[string]func(t *testing.T) Options{
		"sqlite":   func(t *testing.T) Options { return Options{DataDir: t.TempDir()} },
		"postgres": func(t *testing.T) Options { return Options{DataDir: t.TempDir(), PostgresURL: srv.Database(t)} },
	}
}

func mustOpen(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestNewerSchema(t *testing.T) {
	for name, options := range engines(t) {
		t.Run(name+"/compatible", func(t *testing.T) {
			o := options(t)
			s := mustOpen(t, o)
			if err := s.migrateTo(t.Context(), future(t, "1")); err != nil {
				t.Fatal(err)
			}
			// This release on the schema of the next: one step back must work.
			old := mustOpen(t, o)
			if _, err := old.AllGrains(t.Context()); err != nil {
				t.Error(err)
			}
		})
		t.Run(name+"/incompatible", func(t *testing.T) {
			o := options(t)
			s := mustOpen(t, o)
			if err := s.migrateTo(t.Context(), future(t, "9000")); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), o)
			if !sandstorm.IsKind(err, sandstorm.Conflict) || !strings.Contains(err.Error(), "install release 1.7.0 or newer") {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// Several servers may start on one new database at the same time.
func TestConcurrentOpen(t *testing.T) {
	for name, options := range engines(t) {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			errs := make(chan error)
			for range 4 {
				go func() {
					s, err := Open(t.Context(), o)
					if err == nil {
						err = s.Close()
					}
					errs <- err
				}()
			}
			for range 4 {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestHostKey(t *testing.T) {
	dir := t.TempDir()
	o := Options{DataDir: dir}
	path := filepath.Join(dir, "server", hostKeyFile)
	s := mustOpen(t, o)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("host key: %v %v", info, err)
	}
	if err := s.PutSettings(t.Context(), map[string]string{"title": "x"}, map[string]sandstorm.Secret{"password": "hunter2"}); err != nil {
		t.Fatal(err)
	}
	s.Close()

	other := strings.Repeat("01", 32)
	for _, c := range []struct {
		name, key string
		mode      os.FileMode
		kind      sandstorm.Kind
	}{
		{"short", other[2:], 0o600, sandstorm.Invalid},
		{"not hex", strings.Repeat("x", 64), 0o600, sandstorm.Invalid},
		{"readable by others", other, 0o644, sandstorm.Denied},
		{"another", other, 0o600, sandstorm.Conflict},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(c.key), c.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), o)
			if !sandstorm.IsKind(err, c.kind) {
				t.Errorf("error is %v, want kind %v", err, c.kind)
			}
			if err != nil && strings.Contains(err.Error(), c.key) {
				t.Error("the error shows the key")
			}
		})
	}

	o.DiscardSecrets = true
	s = mustOpen(t, o)
	plain, secret, err := s.Settings(t.Context())
	if err != nil || plain["title"] != "x" || len(secret) != 0 {
		t.Errorf("after giving the secrets up: %v, %d secrets, %v", plain, len(secret), err)
	}
	o.DiscardSecrets = false
	mustOpen(t, o)
}

// A sealed value says nothing, and opens only in its own place.
func TestBox(t *testing.T) {
	b := newBox([]byte(strings.Repeat("k", 32)))
	one, two := b.seal("a", []byte("secret")), b.seal("a", []byte("secret"))
	if string(one) == string(two) || strings.Contains(string(one), "secret") {
		t.Error("the same secret seals to the same bytes, or shows")
	}
	if plain, err := b.open("a", one); err != nil || string(plain) != "secret" {
		t.Errorf("open: %q %v", plain, err)
	}
	if _, err := b.open("b", one); err == nil {
		t.Error("a value was opened in another column")
	}
	one[len(one)-1] ^= 1
	if _, err := b.open("a", one); err == nil {
		t.Error("a changed value was opened")
	}
}

// No secret may lie in the database's files in clear.
func TestSecretsAreNotInTheFile(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{DataDir: dir})
	if err := s.PutSettings(t.Context(), nil, map[string]sandstorm.Secret{"smtp.password": "correct-horse"}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	files, err := filepath.Glob(filepath.Join(dir, "server", "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files: %v %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "correct-horse") {
			t.Errorf("%s holds the secret in clear", filepath.Base(file))
		}
		if info, _ := os.Stat(file); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v", filepath.Base(file), info.Mode())
		}
	}
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("this is not a database, but it is long enough to be taken for one"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		o    Options
		kind sandstorm.Kind
	}{
		{"no directory", Options{}, sandstorm.Invalid},
		{"directory is a file", Options{DataDir: file}, sandstorm.Unavailable},
		{"not a database", Options{DataDir: t.TempDir(), SQLitePath: file}, sandstorm.Internal},
		{"nonsense url", Options{DataDir: t.TempDir(), PostgresURL: "postgres://u:hunter2@h:port/"}, sandstorm.Invalid},
		{"nobody listens", Options{DataDir: t.TempDir(), PostgresURL: "postgres://u:hunter2@127.0.0.1:1/x"}, sandstorm.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Log = slog.New(slog.DiscardHandler)
			_, err := Open(t.Context(), c.o)
			if !sandstorm.IsKind(err, c.kind) {
				t.Errorf("error is %v, want kind %v", err, c.kind)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestWrongEncoding(t *testing.T) {
	srv := pgtest.Start(t)
	db, err := sql.Open("pgx", srv.Database(t).Reveal())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`); err != nil {
		t.Fatal(err)
	}
	url := strings.Replace(srv.Database(t).Reveal(), "/test2?", "/latin?", 1)
	if _, err := Open(t.Context(), Options{DataDir: t.TempDir(), PostgresURL: sandstorm.Secret(url)}); !sandstorm.IsKind(err, sandstorm.Invalid) {
		t.Errorf("error is %v", err)
	}
}

// A directory's name must not be taken for parameters.
func TestOddPaths(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?mode=memory#%41ä")
	s := mustOpen(t, Options{DataDir: dir})
	if err := s.PutSettings(t.Context(), map[string]string{"x": "y"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "server", "sandstorm.db-wal")); err != nil {
		t.Error(err)
	}
}

// Every connection must have what durability and references rest on.
func TestSQLitePragmas(t *testing.T) {
	s := mustOpen(t, Options{DataDir: t.TempDir()})
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		for name, q := range map[string]querier{"writer": {s.w, s.eng}, "readers": s.read()} {
			got, _, err := one(t.Context(), q, value[string], `PRAGMA `+pragma)
			if err != nil || got != want {
				t.Errorf("%s has %s = %s, want %s (%v)", name, pragma, got, want, err)
			}
		}
	}
	if _, err := s.read().exec(t.Context(), `DELETE FROM settings`); err == nil {
		t.Error("a reader can write")
	}
}
