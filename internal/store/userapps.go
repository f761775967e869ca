package store

import (
	"context"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// UserApp is an app on an account's list, with the version that new grains use.
type UserApp struct {
	AppID   sandstorm.AppID
	Package sandstorm.PackageID
	Added   time.Time
}

// AddUserApp puts an app on the account's list, or changes which of its
// packages is used.
func (s *Store) AddUserApp(ctx context.Context, who sandstorm.AccountID, app sandstorm.AppID, pkg sandstorm.PackageID) error {
	return s.write(ctx, "add app", func(q querier) error {
		if err := needReadyPackage(ctx, q, pkg); err != nil {
			return err
		}
		_, err := q.exec(ctx, `INSERT INTO user_apps (account, app_id, package, added_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (account, app_id) DO UPDATE SET package = excluded.package`, string(who), string(app), string(pkg), ms(s.now()))
		if s.eng.classify(err) == failedForeign {
			return noAccount(who)
		}
		return err
	})
}

func scanUserApp(row scanner) (a UserApp, err error) {
	var added int64
	err = row.Scan(&a.AppID, &a.Package, &added)
	a.Added = fromMS(added)
	return a, err
}

// UserApps returns the account's list, in the order in which it was made.
func (s *Store) UserApps(ctx context.Context, who sandstorm.AccountID) ([]UserApp, error) {
	out, err := list(ctx, s.read(), scanUserApp, `SELECT app_id, package, added_at FROM user_apps WHERE account = $1 ORDER BY added_at, app_id`, string(who))
	return out, s.eng.wrap("read apps", err)
}

// RemoveUserApp takes an app off the account's list. One that is not there is
// no error.
func (s *Store) RemoveUserApp(ctx context.Context, who sandstorm.AccountID, app sandstorm.AppID) error {
	_, err := s.update(ctx, "remove app", `DELETE FROM user_apps WHERE account = $1 AND app_id = $2`, string(who), string(app))
	return err
}
