// Package pkgstore keeps installed packages on this machine, in the layout of
// earlier servers (packages.md §11), so that theirs can be taken over:
//
//	apps/<packageId>/        the unpacked tree, which is a grain's root
//	apps/<packageId>.appid   the app id and a newline
//	apps/<packageId>.json    ours: full SHA-256 and sizes
//	apps/dev-*/              an app under development, as long as it is
//	tmp/unpacking.*          installations under way
//
// A tree is complete from the moment it has its name: it was unpacked elsewhere,
// flushed to disk and renamed. A tree without a .json file came from another
// server. It works, but nobody knows what file it was: its SHA256 is empty.
package pkgstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// maxInstalls is how many packages are unpacked at a time; each may take up to
// 2 GiB of disk until it is known to be good.
const maxInstalls = 2

// Options say where a Store lies.
type Options struct {
	Dir string       // holds apps/ and tmp/, which are made if need be
	Log *slog.Logger // nil means none
}

// Store is the packages of one machine. Its methods may be called concurrently.
type Store struct {
	apps, tmp string
	log       *slog.Logger
	installs  chan struct{} // a slot for each installation under way
	cache     cache

	mu    sync.Mutex
	busy  map[sandstorm.PackageID]chan struct{} // closed when its writer is done
	sizes map[sandstorm.PackageID]int64         // of imported trees
}

// Open makes the directories and removes what interrupted installations and
// removals left.
func Open(opts Options) (*Store, error) {
	s := &Store{
		apps:     filepath.Join(opts.Dir, "apps"),
		tmp:      filepath.Join(opts.Dir, "tmp"),
		log:      opts.Log,
		installs: make(chan struct{}, maxInstalls),
		busy:     make(map[sandstorm.PackageID]chan struct{}),
		sizes:    make(map[sandstorm.PackageID]int64),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	// Grains run under other users, who must reach the trees; nobody else has
	// any business in tmp.
	if err := makeDir(s.apps, 0o755); err != nil {
		return nil, err
	}
	if err := makeDir(s.tmp, 0o700); err != nil {
		return nil, err
	}
	return s, s.clean()
}

func makeDir(path string, mode fs.FileMode) error {
	err := os.MkdirAll(path, mode)
	if err == nil {
		err = os.Chmod(path, mode) // whatever the umask
	}
	if err != nil {
		return fmt.Errorf("package store: %w", err)
	}
	return nil
}

// Root is the directory of a package's tree: a grain's root file system. It
// exists as long as the package is installed.
func (s *Store) Root(id sandstorm.PackageID) string { return filepath.Join(s.apps, string(id)) }

func (s *Store) appIDFile(id sandstorm.PackageID) string { return s.Root(id) + ".appid" }
func (s *Store) metaFile(id sandstorm.PackageID) string  { return s.Root(id) + ".json" }

// List returns the ids of all installed packages, sorted.
func (s *Store) List() ([]sandstorm.PackageID, error) {
	entries, err := os.ReadDir(s.apps)
	if err != nil {
		return nil, fmt.Errorf("package store: %w", err)
	}
	var ids []sandstorm.PackageID
	for _, e := range entries {
		if id, err := sandstorm.ParsePackageID(e.Name()); err == nil && e.IsDir() && string(id) == e.Name() {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Install reads a whole .spk file from src, verifies it, unpacks it and returns
// what it is. A package that is already there is verified all the same and then
// left as it is. If anything fails or ctx ends, nothing stays behind.
func (s *Store) Install(ctx context.Context, src io.Reader, opts host.InstallOptions) (*host.Installed, error) {
	select {
	case s.installs <- struct{}{}:
		defer func() { <-s.installs }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	stage, err := s.newStage()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := stage.remove(); err != nil {
			s.log.Warn("package store: cannot remove a staging directory", "err", err)
		}
	}()
	info, err := spk.Unpack(ctx, src, stage.tree(), spk.OpenOptions{
		TempDir: stage.dir, Want: opts.Want, Progress: opts.Progress,
	})
	if err != nil {
		return nil, err
	}
	// Read it the way it will be read later, before it gets its name.
	installed, err := load(stage.tree())
	if err != nil {
		return nil, err
	}
	if err := checkAPIVersion(&installed.Package.Manifest); err != nil {
		return nil, err
	}
	if err := checkAuthor(stage.tree(), info.AppID); err != nil {
		return nil, err
	}
	if err := s.commit(ctx, stage, info); err != nil {
		return nil, err
	}
	s.log.Info("package installed", "pkg", info.PackageID, "app", info.AppID, "bytes", info.Unpacked)
	describe(installed, info)
	return installed, nil
}

func describe(in *host.Installed, info *spk.Info) {
	in.Package.ID, in.Package.AppID = info.PackageID, info.AppID
	in.Package.SHA256, in.Package.Size = info.SHA256, info.Unpacked
}

// Remove deletes a package. The caller has made sure that no grain runs it.
// Removing what is not there is NotFound.
func (s *Store) Remove(ctx context.Context, id sandstorm.PackageID) error {
	free, err := s.Detach(ctx, id)
	if err != nil {
		return err
	}
	return free()
}

// Detach is the part of Remove after which the package is gone. It takes no
// longer for a large package. The caller then calls free, which deletes the
// files; if it does not come to that, Open will.
func (s *Store) Detach(ctx context.Context, id sandstorm.PackageID) (free func() error, err error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	unlock, err := s.lock(ctx, id)
	if err != nil {
		return nil, err
	}
	defer unlock()
	stage, err := s.newStage()
	if err != nil {
		return nil, err
	}
	// Once the tree has lost its name the package is gone, whatever happens.
	err = os.Rename(s.Root(id), stage.tree())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(notFound(id), stage.remove())
	}
	if err != nil {
		return nil, errors.Join(storeError("remove", err), stage.remove())
	}
	s.forget(id)
	s.log.Info("package removed", "pkg", id)
	err = errors.Join(removeFile(s.metaFile(id)), removeFile(s.appIDFile(id)))
	return func() error {
		if err := errors.Join(err, stage.remove()); err != nil {
			return storeError("remove", err)
		}
		return nil
	}, nil
}

// Package returns an installed package without its pictures, or NotFound. The
// result is shared: it must not be changed.
func (s *Store) Package(id sandstorm.PackageID) (*sandstorm.Package, error) {
	if p := s.cache.get(id); p != nil {
		return p, nil
	}
	in, err := s.Get(id)
	if err != nil {
		return nil, err
	}
	return &in.Package, nil
}

// Get returns an installed package with its pictures, or NotFound.
func (s *Store) Get(id sandstorm.PackageID) (*host.Installed, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	began := s.cache.now()
	in, err := load(s.Root(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound(id)
	}
	if err != nil {
		return nil, err
	}
	meta, err := s.readMeta(id)
	if err != nil {
		return nil, err
	}
	in.Package.ID, in.Package.AppID = id, meta.AppID
	in.Package.SHA256, in.Package.Size = meta.SHA256, meta.Unpacked
	s.cache.put(&in.Package, began)
	return in, nil
}

// lock makes the caller the only writer of a package.
func (s *Store) lock(ctx context.Context, id sandstorm.PackageID) (unlock func(), err error) {
	for {
		s.mu.Lock()
		other, taken := s.busy[id]
		if !taken {
			mine := make(chan struct{})
			s.busy[id] = mine
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				delete(s.busy, id)
				s.mu.Unlock()
				close(mine)
			}, nil
		}
		s.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// checkID refuses ids that are not canonical: they become file names.
func checkID(id sandstorm.PackageID) error {
	if canonical, err := sandstorm.ParsePackageID(string(id)); err != nil || canonical != id {
		return sandstorm.Errorf(sandstorm.Invalid, "id.package", "%.80q is not a package id", id)
	}
	return nil
}

func notFound(id sandstorm.PackageID) error {
	return sandstorm.Errorf(sandstorm.NotFound, "package.not-found", "package %s is not installed", id)
}
