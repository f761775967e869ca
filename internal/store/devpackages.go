package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/sandstorm-go/sandstorm"
)

// An app under development has a record as well, which its grains refer to: it
// tells their title and icons, and lasts as long as they have nothing else to run
// from. Its status is "dev", so that it is no package that anybody could install,
// make grains of from outside, or that is removed like one.

// PutDevPackage records what an app under development says of itself, in place
// of what it said before. Only AppID, Manifest and Bridge of p count.
func (s *Store) PutDevPackage(ctx context.Context, p *sandstorm.Package, assets []Asset) error {
	id := sandstorm.DevPackageOf(p.AppID)
	manifest, err := json.Marshal(p.Manifest)
	if err != nil {
		return s.eng.wrap("write package", err)
	}
	bridge, err := encodeBridge(p.Bridge)
	if err != nil {
		return s.eng.wrap("write package", err)
	}
	return s.write(ctx, "write package", func(q querier) error {
		if _, err := q.exec(ctx, `INSERT INTO packages (id, app_id, app_version, sha256, size, status, manifest, bridge, created_at)
			VALUES ($1, $2, $3, '', 0, 'dev', $4, $5, $6) ON CONFLICT (id) DO UPDATE
			SET app_version = excluded.app_version, manifest = excluded.manifest, bridge = excluded.bridge`,
			string(id), string(p.AppID), int64(p.Manifest.AppVersion), string(manifest), bridge, ms(s.now())); err != nil {
			return err
		}
		if _, err := q.exec(ctx, `DELETE FROM package_assets WHERE package = $1`, string(id)); err != nil {
			return err
		}
		if err := s.putPackageAssets(ctx, q, id, assets); err != nil {
			return err
		}
		return dropUnusedAssets(ctx, q)
	})
}

func encodeBridge(b *sandstorm.BridgeConfig) (out sql.NullString, err error) {
	if b == nil {
		return out, nil
	}
	text, err := json.Marshal(b)
	return sql.NullString{String: string(text), Valid: true}, err
}

// DevPackage returns what an app under development said of itself last, also
// after its development has ended as long as grains of it are left; else NotFound.
func (s *Store) DevPackage(ctx context.Context, app sandstorm.AppID) (*sandstorm.Package, error) {
	id := sandstorm.DevPackageOf(app)
	p, ok, err := one(ctx, s.read(), scanPackage, `SELECT `+packageColumns+` FROM packages WHERE id = $1 AND status = 'dev'`, string(id))
	if err != nil {
		return nil, s.eng.wrap("read package", err)
	}
	if !ok {
		return nil, noPackage(id)
	}
	return p, nil
}

// DropDevPackages forgets the records of apps that are no longer under
// development, unless grains need them; keep are the apps that still are.
func (s *Store) DropDevPackages(ctx context.Context, keep ...sandstorm.AppID) error {
	return s.write(ctx, "forget apps under development", func(q querier) error {
		unused, err := list(ctx, q, value[sandstorm.AppID], `SELECT app_id FROM packages p WHERE status = 'dev'
			AND NOT EXISTS (SELECT 1 FROM grains WHERE package = p.id) ORDER BY app_id`)
		if err != nil {
			return err
		}
		for _, app := range unused {
			if slices.Contains(keep, app) {
				continue
			}
			if _, err := q.exec(ctx, `DELETE FROM packages WHERE id = $1`, string(sandstorm.DevPackageOf(app))); err != nil {
				return err
			}
		}
		return dropUnusedAssets(ctx, q)
	})
}
