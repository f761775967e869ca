package store

import (
	"context"

	"github.com/sandstorm-go/sandstorm"
)

// AddServerApp makes an app one of those that every new account gets, or
// changes which of its packages they get.
func (s *Store) AddServerApp(ctx context.Context, app sandstorm.AppID, pkg sandstorm.PackageID) error {
	return s.write(ctx, "add app for everybody", func(q querier) error {
		if err := needReadyPackage(ctx, q, pkg); err != nil {
			return err
		}
		_, err := q.exec(ctx, `INSERT INTO server_apps (app_id, package, added_at) VALUES ($1, $2, $3)
			ON CONFLICT (app_id) DO UPDATE SET package = excluded.package`, string(app), string(pkg), ms(s.now()))
		return err
	})
}

// ServerApps returns the apps that every new account gets, in the order in
// which they were added.
func (s *Store) ServerApps(ctx context.Context) ([]UserApp, error) {
	out, err := list(ctx, s.read(), scanUserApp, `SELECT app_id, package, added_at FROM server_apps ORDER BY added_at, app_id`)
	return out, s.eng.wrap("read apps for everybody", err)
}
