package store

import (
	"context"

	"github.com/sandstorm-go/sandstorm"
)

// Settings returns the settings that were made, by name; those that were not
// are absent. Secret ones are kept sealed in the database and are apart here,
// so that they cannot be printed by mistake.
func (s *Store) Settings(ctx context.Context) (plain map[string]string, secret map[string]sandstorm.Secret, err error) {
	plain, secret = map[string]string{}, map[string]sandstorm.Secret{}
	_, err = list(ctx, s.read(), func(row scanner) (struct{}, error) {
		var name, val string
		var sealed []byte
		if err := row.Scan(&name, &val, &sealed); err != nil {
			return struct{}{}, err
		}
		if sealed == nil {
			plain[name] = val
			return struct{}{}, nil
		}
		text, err := s.box.open("settings."+name, sealed)
		secret[name] = sandstorm.Secret(text)
		return struct{}{}, err
	}, `SELECT name, value, sealed FROM settings`)
	return plain, secret, s.eng.wrap("read settings", err)
}

// PutSettings changes settings, all of them or none. Others stay as they are.
func (s *Store) PutSettings(ctx context.Context, plain map[string]string, secret map[string]sandstorm.Secret) error {
	return s.write(ctx, "write settings", func(q querier) error {
		put := func(name, val string, sealed any) error {
			_, err := q.exec(ctx, `INSERT INTO settings (name, value, sealed, updated_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name)
				DO UPDATE SET value = excluded.value, sealed = excluded.sealed, updated_at = excluded.updated_at`, name, val, sealed, ms(s.now()))
			return err
		}
		for name, val := range plain {
			if err := put(name, val, nil); err != nil {
				return err
			}
		}
		for name, val := range secret {
			if err := put(name, "", s.box.seal("settings."+name, []byte(val.Reveal()))); err != nil {
				return err
			}
		}
		return nil
	})
}
