package grain

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// maxTitle is the longest title of a grain, in characters.
const maxTitle = 200

// Create makes a grain: its record and its empty storage. The app starts with
// the first visit. Without a title it is called after its app.
func (m *Manager) Create(ctx context.Context, who *sandstorm.Account, pkgID sandstorm.PackageID, action int, title string) (*sandstorm.Grain, error) {
	pkg, err := m.opts.Store.Package(ctx, pkgID)
	if err != nil {
		return nil, err
	}
	if m.opts.Dev != nil {
		if dev, _ := m.opts.Dev(pkg.AppID); dev != nil {
			pkg = dev // its action is what will run
		}
	}
	return m.create(ctx, who, pkg, pkgID, action, title)
}

// create makes a grain that runs pkg first. record is the package that it has as
// its own.
func (m *Manager) create(ctx context.Context, who *sandstorm.Account, pkg *sandstorm.Package, record sandstorm.PackageID, action int, title string) (g *sandstorm.Grain, err error) {
	if !who.Role.MayCreate() {
		return nil, sandstorm.Errorf(sandstorm.Denied, "grain.visitors-cannot-create", "account %s is a visitor", who.ID)
	}
	found := findAction(pkg, action)
	if found == nil {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "app.no-such-action", "package %s has no action %d", pkg.ID, action)
	}
	if title == "" {
		title = strings.TrimSpace("Untitled " + pkg.Manifest.AppTitle.Default + " " + found.NounPhrase.Default)
	}
	if title, err = cleanTitle(title); err != nil {
		return nil, err
	}
	now := m.opts.Now()
	g = &sandstorm.Grain{
		ID: sandstorm.NewGrainID(), Title: title,
		Package: record, AppID: pkg.AppID, AppVersion: pkg.Manifest.AppVersion,
		Owner: who.ID, IdentityID: newIdentityID(),
		Created: now, LastUsed: now, Action: action,
	}
	if err := m.opts.Store.InsertGrain(ctx, g); err != nil {
		return nil, err
	}
	if err := m.makeStorage(ctx, g.ID); err != nil {
		// Leave no record of a grain that never was.
		return nil, errors.Join(err, m.opts.Store.DeleteGrain(context.WithoutCancel(ctx), g.ID))
	}
	m.opts.Notify.Publish(who.ID, "grains")
	return g, nil
}

func (m *Manager) makeStorage(ctx context.Context, id sandstorm.GrainID) error {
	epoch, err := m.opts.Store.ClaimLease(ctx, id)
	if err != nil {
		return err
	}
	return m.opts.Host.CreateGrain(ctx, host.Lease{Grain: id, Epoch: epoch})
}

func findAction(pkg *sandstorm.Package, index int) *sandstorm.Action {
	for i, a := range pkg.Manifest.Actions {
		if a.Index == index {
			return &pkg.Manifest.Actions[i]
		}
	}
	return nil
}

// newIdentityID is the owner's random id inside a grain: apps cannot tell that
// the owners of two grains are the same person.
func newIdentityID() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func cleanTitle(title string) (string, error) {
	title = strings.TrimSpace(title)
	if title == "" || !utf8.ValidString(title) || utf8.RuneCountInString(title) > maxTitle || strings.ContainsFunc(title, isControl) {
		return "", sandstorm.Errorf(sandstorm.Invalid, "grain.bad-title", "unusable title of %d bytes", len(title))
	}
	return title, nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// Rename gives the grain another title.
func (m *Manager) Rename(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID, title string) error {
	if _, err := m.owned(ctx, who, id); err != nil {
		return err
	}
	title, err := cleanTitle(title)
	if err != nil {
		return err
	}
	if err := m.opts.Store.RenameGrain(ctx, id, title); err != nil {
		return err
	}
	m.changed(id)
	return nil
}

// Trash stops the grains, ends their sessions and puts them in the trash.
func (m *Manager) Trash(ctx context.Context, who *sandstorm.Account, ids ...sandstorm.GrainID) error {
	now := m.opts.Now()
	return m.each(ctx, who, ids, func(id sandstorm.GrainID) error {
		// A grain that has filled the disk must not take the room that the
		// mark needs. If it cannot be stopped, that shows below.
		ctx := store.FreesSpace(ctx)
		_ = m.stop(ctx, id)
		// Before the last stop the mark, so that no visitor starts it again.
		if err := m.opts.Store.SetGrainTrashed(ctx, []sandstorm.GrainID{id}, &now); err != nil {
			return err
		}
		return errors.Join(m.endGrainSessions(ctx, id), m.stop(ctx, id))
	})
}

// Restore takes the grains out of the trash.
func (m *Manager) Restore(ctx context.Context, who *sandstorm.Account, ids ...sandstorm.GrainID) error {
	return m.each(ctx, who, ids, func(id sandstorm.GrainID) error {
		r := m.run(id) // not while it is being deleted
		r.start.Lock()
		defer r.start.Unlock()
		return m.opts.Store.SetGrainTrashed(ctx, []sandstorm.GrainID{id}, nil)
	})
}

// Delete removes trashed grains for good.
func (m *Manager) Delete(ctx context.Context, who *sandstorm.Account, ids ...sandstorm.GrainID) error {
	return m.each(ctx, who, ids, func(id sandstorm.GrainID) error {
		return m.destroy(ctx, id, func(*sandstorm.Grain) bool { return true })
	})
}

// purge deletes a grain that has been in the trash since before t.
func (m *Manager) purge(ctx context.Context, id sandstorm.GrainID, t time.Time) error {
	return m.destroy(ctx, id, func(g *sandstorm.Grain) bool { return g.Trashed.Before(t) })
}

// destroy removes a grain's storage, then its record: if the first fails the
// grain is still listed and can be deleted again. It is Conflict if the grain is
// not in the trash, or is there but not due: whoever restores it at the same
// time either comes too late or keeps it.
func (m *Manager) destroy(ctx context.Context, id sandstorm.GrainID, due func(*sandstorm.Grain) bool) error {
	ctx = store.FreesSpace(ctx)
	r := m.run(id)
	r.start.Lock()
	defer r.start.Unlock()
	g, err := m.opts.Store.Grain(ctx, id)
	if err != nil {
		return err
	}
	if g.Trashed == nil || !due(g) {
		return sandstorm.Errorf(sandstorm.Conflict, "grain.not-in-trash", "grain %s is not in the trash", id)
	}
	if err := errors.Join(m.endGrainSessions(ctx, id), m.stopLocked(ctx, id)); err != nil {
		return err
	}
	epoch, err := m.opts.Store.ClaimLease(ctx, id)
	if err != nil {
		return err
	}
	err = m.opts.Host.DeleteGrain(ctx, host.Lease{Grain: id, Epoch: epoch})
	if err != nil && !sandstorm.IsKind(err, sandstorm.NotFound) {
		return err
	}
	if err := m.opts.Store.DeleteGrain(ctx, id); err != nil {
		return err
	}
	m.mu.Lock()
	delete(m.runs, id)
	m.mu.Unlock()
	return nil
}

// each applies f to grains of the account, all of them even if one fails.
func (m *Manager) each(ctx context.Context, who *sandstorm.Account, ids []sandstorm.GrainID, f func(sandstorm.GrainID) error) error {
	for _, id := range ids {
		if _, err := m.owned(ctx, who, id); err != nil {
			return err
		}
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, f(id))
		m.opts.Notify.Publish(who.ID, "grain:"+string(id))
	}
	m.opts.Notify.Publish(who.ID, "grains")
	return errors.Join(errs...)
}

func (m *Manager) purgeTrash(ctx context.Context, before time.Time) {
	old, err := m.opts.Store.GrainsTrashedBefore(ctx, before)
	if err != nil {
		m.opts.Log.Error("cannot list old trash", "err", err)
		return
	}
	for _, g := range old {
		if err := m.purge(ctx, g.ID, before); err != nil && !sandstorm.IsKind(err, sandstorm.Conflict) {
			m.opts.Log.Error("cannot delete a grain from the trash", "grain", g.ID, "err", err)
		}
	}
}

// Restart stops the grain; the next request starts it again. It also ends a
// pause after crashes.
func (m *Manager) Restart(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID) error {
	if _, err := m.owned(ctx, who, id); err != nil {
		return err
	}
	if err := m.stop(ctx, id); err != nil {
		return err
	}
	m.run(id).forgive()
	return nil
}

// Start starts the grain without a visitor.
func (m *Manager) Start(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID) error {
	if _, err := m.owned(ctx, who, id); err != nil {
		return err
	}
	_, err := m.ensure(ctx, id)
	return err
}

// Log streams the grain's log: the last backlog bytes, then on if follow.
func (m *Manager) Log(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID, backlog int64, follow bool) (io.ReadCloser, error) {
	if _, err := m.owned(ctx, who, id); err != nil {
		return nil, err
	}
	return m.opts.Host.GrainLog(ctx, id, backlog, follow)
}
