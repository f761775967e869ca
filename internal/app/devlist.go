package app

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/sandstorm-go/sandstorm"
)

// developments are the apps under development now.
type developments struct {
	mu    sync.Mutex
	byApp map[sandstorm.AppID]*Development
}

// reserve enters d, whose package is still to come. Conflict if somebody else
// develops the app; one who is just ending is waited for.
func (t *developments) reserve(ctx context.Context, d *Development) error {
	for {
		other, ending := t.tryReserve(d)
		if other == nil {
			return nil
		}
		if !ending {
			return sandstorm.Errorf(sandstorm.Conflict, "dev.taken", "%s develops app %s since %v", other.dev.By, d.app, other.dev.Since).
				With("who", other.dev.By).With("since", other.dev.Since.Format("2006-01-02 15:04"))
		}
		select {
		case <-other.gone:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// tryReserve enters d unless the app is taken.
func (t *developments) tryReserve(d *Development) (other *Development, ending bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if other := t.byApp[d.app]; other != nil {
		return other, other.ending
	}
	if t.byApp == nil {
		t.byApp = map[sandstorm.AppID]*Development{}
	}
	t.byApp[d.app] = d
	return nil, false
}

func (t *developments) release(d *Development) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byApp, d.app)
	close(d.gone)
}

// bump makes what grains run now outdated.
func (t *developments) bump(d *Development) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d.revision++
}

// end has no grain start from d any more.
func (t *developments) end(d *Development) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d.revision, d.ending = 0, true
}

// get returns the development of an app that grains can run from, or nil.
func (t *developments) get(app sandstorm.AppID) (d *Development, revision int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d = t.byApp[app]; d == nil || d.revision == 0 {
		return nil, 0
	}
	return d, d.revision
}

// all are the apps under development, with those that begin or end just now.
func (t *developments) all() []sandstorm.AppID {
	t.mu.Lock()
	defer t.mu.Unlock()
	var apps []sandstorm.AppID
	for app := range t.byApp {
		apps = append(apps, app)
	}
	slices.Sort(apps)
	return apps
}

// withDevs puts the apps under development on a list, in the place of installed
// packages or beside them: they are on everybody's list.
func (s *Service) withDevs(apps []App, grains map[sandstorm.AppID]int) []App {
	for _, id := range s.devs.all() {
		i := slices.IndexFunc(apps, func(a App) bool { return a.ID == id })
		found := App{ID: id, Grains: grains[id]}
		if i >= 0 {
			found = apps[i]
		}
		if !s.develops(&found) {
			continue
		}
		if i >= 0 {
			apps[i] = found
		} else {
			apps = append(apps, found)
		}
	}
	slices.SortFunc(apps, func(a, b App) int { return strings.Compare(sortKey(a), sortKey(b)) })
	return apps
}

// develops gives an app the package that is under development, if there is one.
func (s *Service) develops(a *App) bool {
	d, _ := s.devs.get(a.ID)
	if d == nil {
		return false
	}
	dev := d.dev
	a.Package, a.Dev = d.host.Installed().Package, &dev
	return true
}
