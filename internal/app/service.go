package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/notify"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// Options are what a Service works with.
type Options struct {
	Store  *store.Store
	Host   host.Client
	Notify *notify.Hub
	Log    *slog.Logger
	// Fetch is the client for addresses that people type; it must refuse
	// addresses inside the server's own network (package netguard).
	Fetch *http.Client
	Now   func() time.Time
	// AppChanged ends the grains of an app that run from another package than
	// they would now, and tells their pages; nil for a server without grains.
	AppChanged func(context.Context, sandstorm.AppID) error
}

// Service applies the rules of apps. Its methods may be called concurrently.
type Service struct {
	opts     Options
	attempts attempts
	devs     developments
	// removal is held while a package's files are removed, and while one that
	// has just come is recorded: it may have been an old one that is on its way
	// out.
	removal sync.Mutex
}

// New makes a Service.
func New(opts Options) *Service {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Service{opts: opts, attempts: attempts{byID: map[string]*running{}, now: opts.Now}}
}

// List returns the apps on the account's list and those under development, by
// title.
func (s *Service) List(ctx context.Context, who *sandstorm.Account) ([]App, error) {
	added, err := s.opts.Store.UserApps(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	grains, err := s.opts.Store.GrainCounts(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	apps := make([]App, 0, len(added))
	for _, a := range added {
		pkg, err := s.opts.Store.Package(ctx, a.Package)
		if err != nil {
			s.opts.Log.Warn("an app on a list has no package", "app", a.AppID, "pkg", a.Package, "err", err)
			continue
		}
		apps = append(apps, App{ID: a.AppID, Package: *pkg, Added: true, Grains: grains[a.AppID]})
	}
	return s.withDevs(apps, grains), nil
}

func sortKey(a App) string {
	return strings.ToLower(a.Package.Manifest.AppTitle.Default) + "\x00" + string(a.ID)
}

// Get returns one app: the package under development, else the version on the
// account's list, else the newest that is installed here.
func (s *Service) Get(ctx context.Context, who *sandstorm.Account, id sandstorm.AppID) (*App, error) {
	added, err := s.opts.Store.UserApps(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	grains, err := s.opts.Store.GrainCounts(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	found := App{ID: id, Grains: grains[id]}
	i := slices.IndexFunc(added, func(a store.UserApp) bool { return a.AppID == id })
	found.Added = i >= 0
	if s.develops(&found) {
		return &found, nil
	}
	if found.Added {
		pkg, err := s.opts.Store.Package(ctx, added[i].Package)
		if err != nil {
			return nil, err
		}
		found.Package = *pkg
		return &found, nil
	}
	versions, err := s.opts.Store.PackagesOfApp(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "app.not-installed", "app %s is not installed", id)
	}
	found.Package = *versions[0]
	return &found, nil
}

// Package returns an installed package.
func (s *Service) Package(ctx context.Context, _ *sandstorm.Account, id sandstorm.PackageID) (*sandstorm.Package, error) {
	return s.opts.Store.Package(ctx, id)
}

// Confirm puts an installed package on the account's list, in place of another
// version of the app.
func (s *Service) Confirm(ctx context.Context, who *sandstorm.Account, id sandstorm.PackageID) (*App, error) {
	if err := mayInstall(who); err != nil {
		return nil, err
	}
	pkg, err := s.opts.Store.Package(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.opts.Store.AddUserApp(ctx, who.ID, pkg.AppID, pkg.ID); err != nil {
		return nil, err
	}
	s.opts.Notify.Publish(who.ID, "apps")
	return s.Get(ctx, who, pkg.AppID)
}

// Uninstall takes the app off the account's list. Its grains stay and work.
func (s *Service) Uninstall(ctx context.Context, who *sandstorm.Account, id sandstorm.AppID) error {
	if err := s.opts.Store.RemoveUserApp(ctx, who.ID, id); err != nil {
		return err
	}
	s.opts.Notify.Publish(who.ID, "apps")
	return nil
}

// Asset returns a public picture.
func (s *Service) Asset(ctx context.Context, id sandstorm.AssetID) (mimeType string, content []byte, err error) {
	a, err := s.opts.Store.Asset(ctx, id)
	if err != nil {
		return "", nil, err
	}
	return a.MIMEType, a.Content, nil
}

func mayInstall(who *sandstorm.Account) error {
	if !who.Role.MayCreate() {
		return sandstorm.Errorf(sandstorm.Denied, "app.visitors-cannot-install", "account %s is a visitor", who.ID)
	}
	return nil
}

// unusedGrace is how long a package that nobody confirmed is kept.
const unusedGrace = 24 * time.Hour

// Tidy removes packages that no list and no grain names and that are older than
// a day, and finishes removals that a crash interrupted.
func (s *Service) Tidy(ctx context.Context) error {
	if err := s.dropDevRecords(ctx); err != nil {
		return err
	}
	unused, err := s.opts.Store.UnusedPackages(ctx, s.opts.Now().Add(-unusedGrace))
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range unused {
		// Conflict: somebody took it into use meanwhile.
		if err := s.opts.Store.RetirePackage(ctx, id); err != nil && !sandstorm.IsKind(err, sandstorm.Conflict) {
			errs = append(errs, err)
		}
	}
	retired, err := s.opts.Store.RetiredPackages(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, id := range retired {
		errs = append(errs, s.remove(ctx, id))
	}
	return errors.Join(errs...)
}

// remove deletes a retired package, unless it has come back meanwhile.
func (s *Service) remove(ctx context.Context, id sandstorm.PackageID) error {
	s.removal.Lock()
	defer s.removal.Unlock()
	if _, err := s.opts.Store.Package(ctx, id); !sandstorm.IsKind(err, sandstorm.NotFound) {
		return err // nil: it is ready again
	}
	if err := s.opts.Host.RemovePackage(ctx, id); err != nil && !sandstorm.IsKind(err, sandstorm.NotFound) {
		return err
	}
	return s.opts.Store.DeletePackage(ctx, id)
}
