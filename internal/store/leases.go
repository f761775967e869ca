package store

import (
	"context"

	"github.com/sandstorm-go/sandstorm"
)

// ClaimLease takes a grain over: it raises the epoch by one and returns it. Who
// held an older epoch is fenced from then on (cluster.md §4). The grain need
// not be recorded yet.
func (s *Store) ClaimLease(ctx context.Context, id sandstorm.GrainID) (epoch int64, err error) {
	err = s.write(ctx, "claim lease", func(q querier) error {
		epoch, _, err = one(ctx, q, value[int64], `INSERT INTO grain_leases (grain, epoch, claimed_at) VALUES ($1, 1, $2)
			ON CONFLICT (grain) DO UPDATE SET epoch = grain_leases.epoch + 1, claimed_at = excluded.claimed_at RETURNING epoch`,
			string(id), ms(s.now()))
		return err
	})
	return epoch, err
}

// Lease returns the highest epoch that was given out for a grain, 0 if none.
func (s *Store) Lease(ctx context.Context, id sandstorm.GrainID) (epoch int64, err error) {
	epoch, _, err = one(ctx, s.read(), value[int64], `SELECT epoch FROM grain_leases WHERE grain = $1`, string(id))
	return epoch, s.eng.wrap("read lease", err)
}
