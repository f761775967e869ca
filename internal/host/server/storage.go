package server

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// createGrain makes a grain's storage: complete or not at all, since the
// directory appears under its name in one step.
func (s *server) createGrain(_ context.Context, lease host.Lease) error {
	if _, err := sandstorm.ParseGrainID(string(lease.Grain)); err != nil {
		return err
	}
	id := string(lease.Grain)
	if _, err := s.dirs.grains.stat(id); err == nil {
		return existsError(lease.Grain)
	}
	tmp := uniqueName(creating, id)
	if err := s.buildGrain(tmp, lease); err != nil {
		s.removeLater(tmp)
		return err
	}
	if err := s.dirs.tmp.move(tmp, s.dirs.grains, id, false); err != nil {
		s.removeLater(tmp)
		if errors.Is(err, unix.EEXIST) {
			return existsError(lease.Grain)
		}
		return err
	}
	return nil
}

func existsError(id sandstorm.GrainID) error {
	return sandstorm.Errorf(sandstorm.Conflict, "grain.exists", "grain %s exists", id)
}

func (s *server) buildGrain(tmp string, lease host.Lease) error {
	if err := s.dirs.tmp.mkdir(tmp, 0o700); err != nil {
		return err
	}
	d, err := s.dirs.tmp.sub(tmp)
	if err != nil {
		return err
	}
	defer d.close()
	if err := d.mkdir(fileSandbox, 0o770); err != nil {
		return err
	}
	if err := fence(d, lease.Grain, lease.Epoch); err != nil {
		return err
	}
	if s.uids == nil {
		return nil
	}
	uid, err := s.uids.take()
	if err != nil {
		return err
	}
	if err := unix.Fchownat(d.fd, fileSandbox, uid, uid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		s.uids.giveBack(uid)
		return os.NewSyscallError("fchownat", err)
	}
	return nil
}

// owner is the user id that the grain in d runs as.
func (s *server) owner(ctx context.Context, d *dir) (int, error) {
	if s.uids == nil {
		return os.Geteuid(), nil
	}
	return s.uids.owner(ctx, d)
}

// stopGrain ends the grain if it runs.
func (s *server) stopGrain(ctx context.Context, lease host.Lease) error {
	return s.withLease(ctx, lease, func(g *grain) error { return s.endRun(ctx, g) })
}

// deleteGrain ends the grain and takes its directory out of the way at once;
// removing what is in it may take long and goes on behind.
func (s *server) deleteGrain(ctx context.Context, lease host.Lease) error {
	return s.withLease(ctx, lease, func(g *grain) error {
		if err := s.endRun(ctx, g); err != nil {
			return err
		}
		name := uniqueName(deleting, string(g.id))
		if err := s.dirs.grains.move(string(g.id), s.dirs.tmp, name, false); err != nil {
			return err
		}
		s.table.forget(g)
		s.removeLater(name)
		return nil
	})
}

// withLease does something to a grain alone, if the lease still holds.
func (s *server) withLease(ctx context.Context, lease host.Lease, do func(*grain) error) error {
	g, err := s.table.acquire(lease.Grain)
	if err != nil {
		return err
	}
	defer s.table.release(g)
	if err := s.table.lock(ctx, g); err != nil {
		return err
	}
	defer g.unlock()
	if err := fence(g.dir, g.id, lease.Epoch); err != nil {
		return err
	}
	return do(g)
}

func (s *server) endRun(ctx context.Context, g *grain) error {
	if r := s.table.running(g); r != nil {
		return s.end(ctx, r)
	}
	return nil
}

// grainSize is the disk space of a grain: its storage and its log.
func (s *server) grainSize(ctx context.Context, id sandstorm.GrainID) (int64, error) {
	g, err := s.table.acquire(id)
	if err != nil {
		return 0, err
	}
	defer s.table.release(g)
	top, err := g.dir.sub(fileSandbox)
	if err != nil {
		return 0, err
	}
	defer top.close()
	total, err := treeSize(ctx, top.fd)
	if errors.Is(err, errMoved) {
		return 0, sandstorm.Errorf(sandstorm.Unavailable, "grain.busy", "size of grain %s: %w", id, err)
	}
	if err != nil {
		return 0, err
	}
	for _, name := range []string{fileSandbox, fileLog, fileOldLog} {
		if st, err := g.dir.stat(name); err == nil {
			total += diskSpace(&st)
		}
	}
	return total, nil
}
