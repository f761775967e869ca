package grain

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

// List returns the account's grains that the query selects, in its order.
func (m *Manager) List(ctx context.Context, who *sandstorm.Account, q Query) ([]Row, error) {
	grains, err := m.opts.Store.Grains(ctx, who.ID, q.Trash)
	if err != nil {
		return nil, err
	}
	manifests := manifestCache{m: m, seen: map[sandstorm.PackageID]*sandstorm.Manifest{}}
	words := strings.Fields(strings.ToLower(q.Search))
	rows := make([]Row, 0, len(grains))
	for _, g := range grains {
		if q.App != "" && g.AppID != q.App {
			continue
		}
		row := m.row(ctx, *g, &manifests)
		if matches(row, words) {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, order(q))
	return rows, nil
}

// Get returns one grain of the account.
func (m *Manager) Get(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID) (*Row, error) {
	g, err := m.owned(ctx, who, id)
	if err != nil {
		return nil, err
	}
	row := m.row(ctx, *g, &manifestCache{m: m, seen: map[sandstorm.PackageID]*sandstorm.Manifest{}})
	return &row, nil
}

func (m *Manager) row(ctx context.Context, g sandstorm.Grain, manifests *manifestCache) Row {
	row := Row{Grain: g, Running: m.peek(g.ID) != nil, CanWrite: true, Revision: m.revision(g.AppID)}
	if man := manifests.get(ctx, &g); man != nil {
		row.AppTitle, row.Icons = man.AppTitle, man.Metadata.Icons
	}
	return row
}

// owned returns the grain if the account owns it. To others it does not exist,
// so that ids cannot be probed.
func (m *Manager) owned(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID) (*sandstorm.Grain, error) {
	g, err := m.opts.Store.Grain(ctx, id)
	if err != nil {
		return nil, err
	}
	if g.Owner != who.ID {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "grain.not-found", "grain %s is not %s's", id, who.ID)
	}
	return g, nil
}

// manifestCache looks each package of a list up once.
type manifestCache struct {
	m    *Manager
	seen map[sandstorm.PackageID]*sandstorm.Manifest
}

// get returns nil for a package that is missing: such grains are listed too.
func (c *manifestCache) get(ctx context.Context, g *sandstorm.Grain) *sandstorm.Manifest {
	man, ok := c.seen[g.Package]
	if !ok {
		if pkg := c.m.shown(ctx, g); pkg != nil {
			man = &pkg.Manifest
		}
		c.seen[g.Package] = man
	}
	return man
}

func matches(row Row, words []string) bool {
	text := strings.ToLower(row.Grain.Title + " " + row.AppTitle.Default)
	for _, t := range row.AppTitle.Localizations {
		text += " " + strings.ToLower(t)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

func order(q Query) func(a, b Row) int {
	by := func(a, b Row) int { return a.Grain.LastUsed.Compare(b.Grain.LastUsed) }
	switch q.Sort {
	case SortTitle:
		by = func(a, b Row) int {
			return cmp.Compare(strings.ToLower(a.Grain.Title), strings.ToLower(b.Grain.Title))
		}
	case SortSize:
		by = func(a, b Row) int { return cmp.Compare(a.Grain.Size, b.Grain.Size) }
	case SortApp:
		by = func(a, b Row) int {
			return cmp.Compare(strings.ToLower(a.AppTitle.Default), strings.ToLower(b.AppTitle.Default))
		}
	}
	if q.Desc {
		return func(a, b Row) int { return by(b, a) }
	}
	return by
}
