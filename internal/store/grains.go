package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

func noGrain(id sandstorm.GrainID) *sandstorm.Error {
	return sandstorm.Errorf(sandstorm.NotFound, "grain.not-found", "no grain %.80q", string(id))
}

const grainColumns = `id, title, package, app_id, app_version, owner, identity_id, created_at, last_used, trashed_at, started, action, size`

func scanGrain(row scanner) (*sandstorm.Grain, error) {
	var g sandstorm.Grain
	var created, used int64
	var trashed sql.NullInt64
	err := row.Scan(&g.ID, &g.Title, &g.Package, &g.AppID, &g.AppVersion, &g.Owner, &g.IdentityID,
		&created, &used, &trashed, &g.Started, &g.Action, &g.Size)
	g.Created, g.LastUsed, g.Trashed = fromMS(created), fromMS(used), fromMSOrNull(trashed)
	return &g, err
}

// InsertGrain records a new grain. Its package must be ready, or the record of an
// app under development; Conflict if the id is taken.
func (s *Store) InsertGrain(ctx context.Context, g *sandstorm.Grain) error {
	status := "ready"
	if g.Package.IsDev() {
		status = "dev"
	}
	return s.write(ctx, "insert grain", func(q querier) error {
		if err := needPackage(ctx, q, g.Package, status); err != nil {
			return err
		}
		_, err := q.exec(ctx, `INSERT INTO grains (`+grainColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			string(g.ID), g.Title, string(g.Package), string(g.AppID), int64(g.AppVersion), string(g.Owner), g.IdentityID,
			ms(g.Created), ms(g.LastUsed), msOrNull(g.Trashed), g.Started, int64(g.Action), g.Size)
		switch s.eng.classify(err) {
		case failedUnique:
			return sandstorm.Errorf(sandstorm.Conflict, "grain.exists", "grain %s exists already", g.ID)
		case failedForeign:
			return noAccount(g.Owner)
		}
		return err
	})
}

// Grain returns a grain, in the trash or not, or NotFound.
func (s *Store) Grain(ctx context.Context, id sandstorm.GrainID) (*sandstorm.Grain, error) {
	g, ok, err := one(ctx, s.read(), scanGrain, `SELECT `+grainColumns+` FROM grains WHERE id = $1`, string(id))
	if err != nil {
		return nil, s.eng.wrap("read grain", err)
	}
	if !ok {
		return nil, noGrain(id)
	}
	return g, nil
}

// Grains returns the grains that an account owns, those in the trash or the
// others, last used first.
func (s *Store) Grains(ctx context.Context, owner sandstorm.AccountID, trashed bool) ([]*sandstorm.Grain, error) {
	out, err := list(ctx, s.read(), scanGrain, `SELECT `+grainColumns+` FROM grains
		WHERE owner = $1 AND (trashed_at IS NOT NULL) = $2 ORDER BY last_used DESC, id`, string(owner), trashed)
	return out, s.eng.wrap("read grains", err)
}

// AllGrains returns every grain on the server, trash included, last used first.
func (s *Store) AllGrains(ctx context.Context) ([]*sandstorm.Grain, error) {
	out, err := list(ctx, s.read(), scanGrain, `SELECT `+grainColumns+` FROM grains ORDER BY last_used DESC, id`)
	return out, s.eng.wrap("read grains", err)
}

// GrainsTrashedBefore returns what has been in the trash since before t, for
// purging.
func (s *Store) GrainsTrashedBefore(ctx context.Context, t time.Time) ([]*sandstorm.Grain, error) {
	out, err := list(ctx, s.read(), scanGrain, `SELECT `+grainColumns+` FROM grains
		WHERE trashed_at IS NOT NULL AND trashed_at < $1 ORDER BY trashed_at, id`, ms(t))
	return out, s.eng.wrap("read the trash", err)
}

// GrainCounts returns how many grains of each app an account owns outside of
// the trash.
func (s *Store) GrainCounts(ctx context.Context, owner sandstorm.AccountID) (map[sandstorm.AppID]int, error) {
	out := map[sandstorm.AppID]int{}
	_, err := list(ctx, s.read(), func(row scanner) (struct{}, error) {
		var app sandstorm.AppID
		var n int
		err := row.Scan(&app, &n)
		out[app] = n
		return struct{}{}, err
	}, `SELECT app_id, count(*) FROM grains WHERE owner = $1 AND trashed_at IS NULL GROUP BY app_id`, string(owner))
	return out, s.eng.wrap("count grains", err)
}

// RenameGrain sets a grain's title.
func (s *Store) RenameGrain(ctx context.Context, id sandstorm.GrainID, title string) error {
	return s.updateOne(ctx, "rename grain", noGrain(id), `UPDATE grains SET title = $2 WHERE id = $1`, string(id), title)
}

// SetGrainTrashed moves grains into the trash, or with nil out of it: all of
// them or, if one does not exist, none. A grain that is in the trash already
// keeps its time.
func (s *Store) SetGrainTrashed(ctx context.Context, ids []sandstorm.GrainID, at *time.Time) error {
	return s.write(ctx, "move grains to the trash", func(q querier) error {
		for _, id := range ids {
			n, err := q.exec(ctx, `UPDATE grains SET trashed_at = CASE WHEN $2 THEN NULL ELSE COALESCE(trashed_at, $3) END WHERE id = $1`,
				string(id), at == nil, msOrNull(at))
			if err != nil {
				return err
			}
			if n == 0 {
				return noGrain(id)
			}
		}
		return nil
	})
}

// DeleteGrain forgets a grain and its sessions. Its lease stays: an epoch never
// goes down.
func (s *Store) DeleteGrain(ctx context.Context, id sandstorm.GrainID) error {
	return s.updateOne(ctx, "delete grain", noGrain(id), `DELETE FROM grains WHERE id = $1`, string(id))
}

// TouchGrain records a use. The time never goes back.
func (s *Store) TouchGrain(ctx context.Context, id sandstorm.GrainID, used time.Time) error {
	return s.updateOne(ctx, "touch grain", noGrain(id),
		`UPDATE grains SET last_used = CASE WHEN last_used < $2 THEN $2 ELSE last_used END WHERE id = $1`, string(id), ms(used))
}

// SetGrainStarted records that the action's command ran: from now on the grain
// is continued.
func (s *Store) SetGrainStarted(ctx context.Context, id sandstorm.GrainID) error {
	return s.updateOne(ctx, "mark grain as started", noGrain(id), `UPDATE grains SET started = $2 WHERE id = $1`, string(id), true)
}

// SetGrainSize records how many bytes a grain's storage has.
func (s *Store) SetGrainSize(ctx context.Context, id sandstorm.GrainID, size int64) error {
	return s.updateOne(ctx, "set grain size", noGrain(id), `UPDATE grains SET size = $2 WHERE id = $1`, string(id), size)
}

// SetGrainPackage moves a grain to another version of its app. A package of
// another app is refused as Invalid.
func (s *Store) SetGrainPackage(ctx context.Context, id sandstorm.GrainID, pkg sandstorm.PackageID) error {
	return s.write(ctx, "set grain package", func(q querier) error {
		g, ok, err := one(ctx, q, scanGrain, `SELECT `+grainColumns+` FROM grains WHERE id = $1`, string(id))
		if err != nil {
			return err
		}
		if !ok {
			return noGrain(id)
		}
		if err := needReadyPackage(ctx, q, pkg); err != nil {
			return err
		}
		n, err := q.exec(ctx, `UPDATE grains SET package = $2, app_version = (SELECT app_version FROM packages WHERE id = $2)
			WHERE id = $1 AND app_id = (SELECT app_id FROM packages WHERE id = $2)`, string(id), string(pkg))
		if err == nil && n == 0 {
			return sandstorm.Errorf(sandstorm.Invalid, "grain.other-app", "package %s is not of app %s", pkg, g.AppID)
		}
		return err
	})
}
