package pkgstore

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// DevTree is the unpacked tree of an app under development. It has no name in
// the store: no id finds it, and Open removes what an earlier process left.
type DevTree struct {
	Installed *host.Installed // its id and app id are for the caller to choose
	stage     *stage
	store     *Store
}

// devPrefix begins the names of such trees in apps/. They are there, and not
// in tmp, because grains run under other users, who must reach them.
const devPrefix = "dev-"

// UnpackDev reads a whole .spk of an app under development. Who signed it does
// not matter, and nothing is flushed to disk: it is not to last.
func (s *Store) UnpackDev(ctx context.Context, src io.Reader) (*DevTree, error) {
	select {
	case s.installs <- struct{}{}:
		defer func() { <-s.installs }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	st, err := s.newStageIn(s.apps, devPrefix)
	if err != nil {
		return nil, err
	}
	d := &DevTree{stage: st, store: s}
	if err := d.unpack(ctx, src); err != nil {
		d.Remove()
		return nil, err
	}
	return d, nil
}

func (d *DevTree) unpack(ctx context.Context, src io.Reader) error {
	info, err := spk.Unpack(ctx, src, d.stage.tree(), spk.OpenOptions{TempDir: d.store.tmp})
	if err != nil {
		return err
	}
	if d.Installed, err = load(d.stage.tree()); err != nil {
		return err
	}
	if err := checkAPIVersion(&d.Installed.Package.Manifest); err != nil {
		return err
	}
	d.Installed.Package.Size = info.Unpacked
	if err := os.Chmod(d.stage.dir, 0o755); err != nil {
		return storeError("unpack", err)
	}
	return nil
}

// Root is the directory of the tree: a grain's root file system.
func (d *DevTree) Root() string { return d.stage.tree() }

// Remove deletes the tree. No grain may run from it.
func (d *DevTree) Remove() {
	if err := d.stage.remove(); err != nil {
		d.store.log.Warn("package store: cannot remove an app under development", "err", err)
	}
}

// cleanDev removes the trees of host processes that died; there is one at a time.
// Earlier servers mounted such apps on directories of that name; a mount is left
// alone.
func (s *Store) cleanDev() error {
	dirs, err := filepath.Glob(filepath.Join(s.apps, devPrefix+"*"))
	if err != nil {
		return storeError("clean", err)
	}
	for _, dir := range dirs {
		if err := s.cleanDevTree(dir); err != nil {
			s.log.Warn("package store: cannot remove what is left of an app under development", "err", err)
		}
	}
	return nil
}

func (s *Store) cleanDevTree(dir string) error {
	// Renaming fails for mounts, before anything behind them could be deleted.
	st, err := s.newStage()
	if err != nil {
		return err
	}
	err = os.Rename(dir, st.tree())
	return errors.Join(err, st.remove())
}

func checkAPIVersion(m *sandstorm.Manifest) error {
	if v := m.MinAPIVersion; v > spk.APIVersion {
		return sandstorm.Errorf(sandstorm.Invalid, "package.api-version", "the package needs API version %d, this server has %d", v, spk.APIVersion)
	}
	return nil
}
