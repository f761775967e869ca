package pkgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

const stagePrefix = "unpacking."

// stage is a directory that an installation or a removal works in. It is locked
// for as long as it is used, so that another host process that starts meanwhile
// takes it for what it is and does not clean it away.
type stage struct {
	dir  string
	lock *os.File
}

func (s *Store) newStage() (*stage, error) { return s.newStageIn(s.tmp, stagePrefix) }

func (s *Store) newStageIn(parent, prefix string) (*stage, error) {
	dir, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return nil, storeError("stage", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, errors.Join(storeError("stage", err), os.RemoveAll(dir))
	}
	return &stage{dir, lock}, nil
}

func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// tree is where the package's tree is unpacked.
func (st *stage) tree() string { return filepath.Join(st.dir, "tree") }

func (st *stage) remove() error {
	err := os.RemoveAll(st.dir)
	return errors.Join(err, st.lock.Close())
}

// clean removes what was left by a process that died, and what it wrote down
// of packages whose trees never came or have gone.
func (s *Store) clean() error {
	stages, err := filepath.Glob(filepath.Join(s.tmp, stagePrefix+"*"))
	if err != nil {
		return storeError("clean", err)
	}
	for _, dir := range stages {
		lock, err := lockDir(dir)
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return storeError("clean", err)
		}
		s.log.Info("package store: removing what an interrupted installation left", "dir", filepath.Base(dir))
		if err := (&stage{dir, lock}).remove(); err != nil {
			return storeError("clean", err)
		}
	}
	if err := s.cleanDev(); err != nil {
		return err
	}
	metas, err := filepath.Glob(filepath.Join(s.apps, "*.json"))
	if err != nil {
		return storeError("clean", err)
	}
	for _, meta := range metas {
		tree := strings.TrimSuffix(meta, ".json")
		if _, err := os.Lstat(tree); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		// The .appid first: without the .json it would look like one that an
		// earlier server left behind, and stay.
		if err := errors.Join(removeFile(tree+".appid"), removeFile(meta)); err != nil {
			return storeError("clean", err)
		}
	}
	return nil
}

// commit gives the staged tree its name, unless the package is already there.
func (s *Store) commit(ctx context.Context, st *stage, info *spk.Info) error {
	unlock, err := s.lock(ctx, info.PackageID)
	if err != nil {
		return err
	}
	defer unlock()
	known, err := s.known(st, info)
	if err != nil {
		return err
	}
	b, err := json.Marshal(meta{info.AppID, info.SHA256, info.Packed, info.Unpacked})
	if err != nil {
		return fmt.Errorf("package store: %w", err)
	}
	if !known {
		// The tree must be on the disk before its name is; one call for all
		// its files is much faster than one for each.
		if err := unix.Syncfs(int(st.lock.Fd())); err != nil {
			return storeError("flush", err)
		}
	}
	s.forget(info.PackageID)
	err = s.writeFile(st, s.appIDFile(info.PackageID), []byte(info.AppID+"\n"))
	if err == nil {
		err = s.writeFile(st, s.metaFile(info.PackageID), append(b, '\n'))
	}
	if known {
		return err
	}
	if err == nil {
		// Last, because a tree alone would pass for an imported one.
		err = os.Rename(st.tree(), s.Root(info.PackageID))
	}
	if err != nil {
		return errors.Join(storeError("install", err), removeFile(s.metaFile(info.PackageID)), removeFile(s.appIDFile(info.PackageID)))
	}
	return syncDir(s.apps)
}

// known reports whether the package is there already. It fails if that is
// another one under the same id: 128 bits of a hash are few enough that a
// developer could make two files that share them (packages.md §1).
func (s *Store) known(st *stage, info *spk.Info) (bool, error) {
	if _, err := os.Lstat(s.Root(info.PackageID)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, storeError("install", err)
	}
	have, err := s.readMeta(info.PackageID)
	if err != nil {
		return false, err
	}
	switch {
	case have.SHA256 == info.SHA256:
		return true, nil
	case have.SHA256 != "":
		return false, sandstorm.Errorf(sandstorm.Conflict, "package.other-content", "package %s is installed with SHA-256 %s; this one has %s", info.PackageID, have.SHA256, info.SHA256)
	}
	// An imported tree: it is what the file holds, or it is not.
	diff, err := firstDifference(st.tree(), s.Root(info.PackageID))
	if err != nil {
		return false, storeError("compare", err)
	}
	if diff != "" || have.AppID != info.AppID {
		return false, sandstorm.Errorf(sandstorm.Conflict, "package.other-content", "package %s was imported and differs from the file at %q", info.PackageID, diff)
	}
	return true, nil
}

// writeFile replaces a file of apps/ in one step.
func (s *Store) writeFile(st *stage, path string, content []byte) error {
	temp := filepath.Join(st.dir, filepath.Base(path))
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return storeError("write", err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return storeError("write", err)
	}
	return syncDir(s.apps)
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return storeError("flush", err)
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return storeError("flush", err)
	}
	return nil
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func storeError(op string, err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return sandstorm.Errorf(sandstorm.Unavailable, "package.no-space", "package store: %s: %w", op, err)
	}
	return sandstorm.Errorf(sandstorm.Internal, "package.store", "package store: %s: %w", op, err)
}
