package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

func noPackage(id sandstorm.PackageID) *sandstorm.Error {
	return sandstorm.Errorf(sandstorm.NotFound, "package.not-found", "no package %s", id)
}

const packageColumns = `id, app_id, sha256, size, manifest, bridge`

func scanPackage(row scanner) (*sandstorm.Package, error) {
	var p sandstorm.Package
	var manifest string
	var bridge sql.NullString
	if err := row.Scan(&p.ID, &p.AppID, &p.SHA256, &p.Size, &manifest, &bridge); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(manifest), &p.Manifest); err != nil {
		return nil, fmt.Errorf("manifest of package %s: %w", p.ID, err)
	}
	if bridge.Valid {
		if err := json.Unmarshal([]byte(bridge.String), &p.Bridge); err != nil {
			return nil, fmt.Errorf("bridge configuration of package %s: %w", p.ID, err)
		}
	}
	return &p, nil
}

// PutPackage records a package that the host has unpacked, with its pictures.
// One that is known already stays as it is; a different file under a known id
// (the id is only half of the hash) is refused as Conflict. A retired package
// comes back.
func (s *Store) PutPackage(ctx context.Context, p *sandstorm.Package, assets []Asset) error {
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
			VALUES ($1, $2, $3, $4, $5, 'ready', $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
			string(p.ID), string(p.AppID), int64(p.Manifest.AppVersion), p.SHA256, p.Size, string(manifest), bridge, ms(s.now())); err != nil {
			return err
		}
		sum, _, err := one(ctx, q, value[string], `SELECT sha256 FROM packages WHERE id = $1`, string(p.ID))
		if err != nil {
			return err
		}
		if sum != p.SHA256 {
			return sandstorm.Errorf(sandstorm.Conflict, "package.other-file", "package %s is known with SHA-256 %s, not %s", p.ID, sum, p.SHA256)
		}
		if _, err := q.exec(ctx, `UPDATE packages SET status = 'ready' WHERE id = $1`, string(p.ID)); err != nil {
			return err
		}
		return s.putPackageAssets(ctx, q, p.ID, assets)
	})
}

func (s *Store) putPackageAssets(ctx context.Context, q querier, id sandstorm.PackageID, assets []Asset) error {
	for _, a := range assets {
		if err := s.putAsset(ctx, q, a); err != nil {
			return err
		}
		if _, err := q.exec(ctx, `INSERT INTO package_assets (package, asset) VALUES ($1, $2) ON CONFLICT (package, asset) DO NOTHING`,
			string(id), string(a.ID)); err != nil {
			return err
		}
	}
	return nil
}

// Package returns an installed package, or NotFound.
func (s *Store) Package(ctx context.Context, id sandstorm.PackageID) (*sandstorm.Package, error) {
	p, ok, err := one(ctx, s.read(), scanPackage, `SELECT `+packageColumns+` FROM packages WHERE id = $1 AND status = 'ready'`, string(id))
	if err != nil {
		return nil, s.eng.wrap("read package", err)
	}
	if !ok {
		return nil, noPackage(id)
	}
	return p, nil
}

// PackagesOfApp returns the installed versions of an app, newest first.
func (s *Store) PackagesOfApp(ctx context.Context, app sandstorm.AppID) ([]*sandstorm.Package, error) {
	out, err := list(ctx, s.read(), scanPackage, `SELECT `+packageColumns+` FROM packages
		WHERE app_id = $1 AND status = 'ready' ORDER BY app_version DESC, created_at DESC, id`, string(app))
	return out, s.eng.wrap("read packages", err)
}

// Packages returns all installed packages, by app, newest version first.
func (s *Store) Packages(ctx context.Context) ([]*sandstorm.Package, error) {
	out, err := list(ctx, s.read(), scanPackage, `SELECT `+packageColumns+` FROM packages
		WHERE status = 'ready' ORDER BY app_id, app_version DESC, created_at DESC, id`)
	return out, s.eng.wrap("read packages", err)
}

// PackageInUse reports whether a grain (the trash counts), somebody's list of
// apps or the list for everybody needs the package.
func (s *Store) PackageInUse(ctx context.Context, id sandstorm.PackageID) (bool, error) {
	used, err := packageInUse(ctx, s.read(), id)
	return used, s.eng.wrap("read package use", err)
}

func packageInUse(ctx context.Context, q querier, id sandstorm.PackageID) (bool, error) {
	used, _, err := one(ctx, q, value[int64], `SELECT CASE WHEN EXISTS (SELECT 1 FROM grains WHERE package = $1)
		OR EXISTS (SELECT 1 FROM user_apps WHERE package = $1)
		OR EXISTS (SELECT 1 FROM server_apps WHERE package = $1) THEN 1 ELSE 0 END`, string(id))
	return used == 1, err
}

// UnusedPackages returns those that were installed before t and are not in use.
func (s *Store) UnusedPackages(ctx context.Context, t time.Time) ([]sandstorm.PackageID, error) {
	out, err := list(ctx, s.read(), value[sandstorm.PackageID], `SELECT id FROM packages p WHERE created_at < $1
		AND status <> 'dev' AND NOT EXISTS (SELECT 1 FROM grains WHERE package = p.id)
		AND NOT EXISTS (SELECT 1 FROM user_apps WHERE package = p.id)
		AND NOT EXISTS (SELECT 1 FROM server_apps WHERE package = p.id) ORDER BY id`, ms(t))
	return out, s.eng.wrap("read packages", err)
}

// RetirePackage takes an unused package out of service, so that its files can
// be deleted without a grain being made of it meanwhile. Conflict if in use.
// The order that survives a crash: RetirePackage, delete the files,
// DeletePackage; at start finish what RetiredPackages lists.
func (s *Store) RetirePackage(ctx context.Context, id sandstorm.PackageID) error {
	return s.write(ctx, "retire package", func(q querier) error {
		used, err := packageInUse(ctx, q, id)
		if err != nil {
			return err
		}
		if used {
			return sandstorm.Errorf(sandstorm.Conflict, "package.in-use", "package %s is in use", id)
		}
		n, err := q.exec(ctx, `UPDATE packages SET status = 'retired' WHERE id = $1`, string(id))
		if err == nil && n == 0 {
			return noPackage(id)
		}
		return err
	})
}

// RetiredPackages returns those whose files are still to be deleted.
func (s *Store) RetiredPackages(ctx context.Context) ([]sandstorm.PackageID, error) {
	out, err := list(ctx, s.read(), value[sandstorm.PackageID], `SELECT id FROM packages WHERE status = 'retired' ORDER BY id`)
	return out, s.eng.wrap("read packages", err)
}

// DeletePackage forgets a package and the pictures that nothing else shows.
// Conflict if it is in use.
func (s *Store) DeletePackage(ctx context.Context, id sandstorm.PackageID) error {
	return s.write(ctx, "delete package", func(q querier) error {
		used, err := packageInUse(ctx, q, id)
		if err != nil {
			return err
		}
		if used {
			return sandstorm.Errorf(sandstorm.Conflict, "package.in-use", "package %s is in use", id)
		}
		n, err := q.exec(ctx, `DELETE FROM packages WHERE id = $1`, string(id))
		if err != nil {
			return err
		}
		if n == 0 {
			return noPackage(id)
		}
		return dropUnusedAssets(ctx, q)
	})
}

// needReadyPackage refuses what would refer to a package that is not there or
// is going away.
func needReadyPackage(ctx context.Context, q querier, id sandstorm.PackageID) error {
	return needPackage(ctx, q, id, "ready")
}

func needPackage(ctx context.Context, q querier, id sandstorm.PackageID, status string) error {
	_, ok, err := one(ctx, q, value[string], `SELECT id FROM packages WHERE id = $1 AND status = $2`, string(id), status)
	if err == nil && !ok {
		return noPackage(id)
	}
	return err
}
