package shelltest

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/grain"
	"github.com/sandstorm-go/sandstorm/internal/shell"
)

// Barn implements shell.Grains.
type Barn struct{ *World }

func (b Barn) row(who *sandstorm.Account, g *sandstorm.Grain) shell.GrainRow {
	r := shell.GrainRow{Grain: *g, Running: b.Running[g.ID], CanWrite: g.Owner == who.ID}
	r.Revision = b.Dev[g.AppID]
	if p := b.Packages[g.Package]; p != nil {
		r.AppTitle, r.Icons = p.Manifest.AppTitle, p.Manifest.Metadata.Icons
	}
	return r
}

// owned finds a grain of the account.
func (b Barn) owned(who *sandstorm.Account, id sandstorm.GrainID) (*sandstorm.Grain, error) {
	g := b.World.Grains[id]
	if g == nil || g.Owner != who.ID {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "grain.not-found", "no grain %s", id)
	}
	return g, nil
}

// Create implements shell.Grains.
func (b Barn) Create(_ context.Context, who *sandstorm.Account, pkg sandstorm.PackageID, action int, title string) (*sandstorm.Grain, error) {
	b.Lock()
	defer b.Unlock()
	p := b.Packages[pkg]
	if p == nil || action >= len(p.Manifest.Actions) {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "package.not-found", "no package %s", pkg)
	}
	if title == "" {
		title = "Untitled " + p.Manifest.AppTitle.Default + " " + p.Manifest.Actions[action].NounPhrase.Default
	}
	g := &sandstorm.Grain{
		ID: sandstorm.GrainID(b.token("grain")[:22]), Title: title, Package: pkg, AppID: p.AppID, Owner: who.ID,
		Created: b.Now(), LastUsed: b.Now(), Size: 4096,
	}
	b.World.Grains[g.ID] = g
	b.publish("grains")
	return g, nil
}

// CreateDev implements shell.Grains.
func (b Barn) CreateDev(ctx context.Context, who *sandstorm.Account, app sandstorm.AppID, action int, title string) (*sandstorm.Grain, error) {
	b.Lock()
	_, ok := b.Dev[app]
	p := b.Packages[b.Added[app]]
	b.Unlock()
	if !ok || p == nil {
		return nil, sandstorm.Errorf(sandstorm.Conflict, "dev.over", "app %s is not under development", app)
	}
	return b.Create(ctx, who, p.ID, action, title)
}

// List implements shell.Grains.
func (b Barn) List(_ context.Context, who *sandstorm.Account, q shell.GrainQuery) ([]shell.GrainRow, error) {
	b.Lock()
	defer b.Unlock()
	if err := b.fail("grains"); err != nil {
		return nil, err
	}
	var out []shell.GrainRow
	for _, g := range sorted(b.World.Grains) {
		r := b.row(who, g)
		text := strings.ToLower(g.Title + " " + r.AppTitle.Default)
		hit := g.Owner == who.ID && (g.Trashed != nil) == q.Trash && (q.App == "" || q.App == g.AppID)
		for _, word := range strings.Fields(strings.ToLower(q.Search)) {
			hit = hit && strings.Contains(text, word)
		}
		if hit {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(x, y shell.GrainRow) int {
		var c int
		switch q.Sort {
		case grain.SortTitle:
			c = cmp.Compare(strings.ToLower(x.Grain.Title), strings.ToLower(y.Grain.Title))
		case grain.SortSize:
			c = cmp.Compare(x.Grain.Size, y.Grain.Size)
		case grain.SortApp:
			c = cmp.Compare(x.AppTitle.Default, y.AppTitle.Default)
		default:
			c = x.Grain.LastUsed.Compare(y.Grain.LastUsed)
		}
		if q.Desc {
			return -c
		}
		return c
	})
	return out, nil
}

// Get implements shell.Grains.
func (b Barn) Get(_ context.Context, who *sandstorm.Account, id sandstorm.GrainID) (*shell.GrainRow, error) {
	b.Lock()
	defer b.Unlock()
	g, err := b.owned(who, id)
	if err != nil {
		return nil, err
	}
	r := b.row(who, g)
	return &r, nil
}

// Rename implements shell.Grains.
func (b Barn) Rename(_ context.Context, who *sandstorm.Account, id sandstorm.GrainID, title string) error {
	b.Lock()
	defer b.Unlock()
	g, err := b.owned(who, id)
	if err != nil {
		return err
	}
	g.Title = title
	b.publish("grains", "grain:"+string(id))
	return nil
}

func (b Barn) each(who *sandstorm.Account, ids []sandstorm.GrainID, f func(*sandstorm.Grain)) error {
	b.Lock()
	defer b.Unlock()
	for _, id := range ids {
		g, err := b.owned(who, id)
		if err != nil {
			return err
		}
		f(g)
	}
	b.publish("grains")
	return nil
}

// Trash implements shell.Grains.
func (b Barn) Trash(_ context.Context, who *sandstorm.Account, ids ...sandstorm.GrainID) error {
	return b.each(who, ids, func(g *sandstorm.Grain) { t := b.Now(); g.Trashed = &t })
}

// Restore implements shell.Grains.
func (b Barn) Restore(_ context.Context, who *sandstorm.Account, ids ...sandstorm.GrainID) error {
	return b.each(who, ids, func(g *sandstorm.Grain) { g.Trashed = nil })
}

// Delete implements shell.Grains.
func (b Barn) Delete(_ context.Context, who *sandstorm.Account, ids ...sandstorm.GrainID) error {
	return b.each(who, ids, func(g *sandstorm.Grain) { delete(b.World.Grains, g.ID) })
}

// Restart implements shell.Grains.
func (b Barn) Restart(_ context.Context, who *sandstorm.Account, id sandstorm.GrainID) error {
	return b.each(who, []sandstorm.GrainID{id}, func(g *sandstorm.Grain) {
		b.Running[g.ID] = false
		delete(b.Health, g.ID)
	})
}

// Open implements shell.Grains.
func (b Barn) Open(_ context.Context, who *sandstorm.Account, id sandstorm.GrainID) (sandstorm.SessionID, error) {
	b.Lock()
	defer b.Unlock()
	if _, err := b.owned(who, id); err != nil {
		return sandstorm.SessionID{}, err
	}
	if err := b.fail("open"); err != nil {
		return sandstorm.SessionID{}, err
	}
	s := sandstorm.NewSessionID()
	b.Sessions[s.HostID()] = id
	b.Running[id] = true
	return s, nil
}

// KeepAlive implements shell.Grains.
func (b Barn) KeepAlive(_ context.Context, _ *sandstorm.Account, host sandstorm.HostID) (shell.GrainHealth, error) {
	b.Lock()
	defer b.Unlock()
	id, ok := b.Sessions[host]
	if !ok {
		return shell.GrainHealth{}, sandstorm.Errorf(sandstorm.NotFound, "session.ended", "no session %s", host.Short())
	}
	if h, ok := b.Health[id]; ok {
		return h, nil
	}
	return shell.GrainHealth{Running: true, Revision: b.Dev[b.World.Grains[id].AppID]}, nil
}

// Log implements shell.Grains. A followed log never ends by itself.
func (b Barn) Log(ctx context.Context, who *sandstorm.Account, id sandstorm.GrainID, backlog int64, follow bool) (io.ReadCloser, error) {
	b.Lock()
	defer b.Unlock()
	if _, err := b.owned(who, id); err != nil {
		return nil, err
	}
	text := b.Logs[id]
	if int64(len(text)) > backlog {
		text = text[int64(len(text))-backlog:]
	}
	if !follow {
		return io.NopCloser(strings.NewReader(text)), nil
	}
	r, w := io.Pipe()
	go func() {
		_, _ = io.WriteString(w, text) // the reader may close first
		<-ctx.Done()
		_ = w.Close()
	}()
	return r, nil
}
