package pkgstore

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

// meta is what is known of a package besides its tree.
type meta struct {
	AppID    sandstorm.AppID `json:"appId"`
	SHA256   string          `json:"sha256"`   // of the .spk file; empty for an imported tree
	Packed   int64           `json:"packed"`   // bytes of the .spk file
	Unpacked int64           `json:"unpacked"` // bytes of all files
}

// readMeta reads the .json file or, for an imported tree, the .appid file.
func (s *Store) readMeta(id sandstorm.PackageID) (*meta, error) {
	var m meta
	b, err := os.ReadFile(s.metaFile(id))
	switch {
	case err == nil:
		err = json.Unmarshal(b, &m)
	case errors.Is(err, fs.ErrNotExist):
		if b, err = os.ReadFile(s.appIDFile(id)); err == nil {
			m.AppID = sandstorm.AppID(strings.TrimSpace(string(b)))
			m.Unpacked, err = s.importedSize(id)
		}
	}
	if err == nil {
		m.AppID, err = sandstorm.ParseAppID(string(m.AppID))
	}
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Internal, "package.store", "package %s: what is known of it cannot be read: %w", id, err)
	}
	return &m, nil
}

// importedSize adds up an imported tree, once.
func (s *Store) importedSize(id sandstorm.PackageID) (int64, error) {
	s.mu.Lock()
	size, ok := s.sizes[id]
	s.mu.Unlock()
	if ok {
		return size, nil
	}
	err := filepath.WalkDir(s.Root(id), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	s.sizes[id] = size
	s.mu.Unlock()
	return size, nil
}

func (s *Store) forget(id sandstorm.PackageID) {
	s.cache.remove(id)
	s.mu.Lock()
	delete(s.sizes, id)
	s.mu.Unlock()
}
