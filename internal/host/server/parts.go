package server

import (
	"github.com/sandstorm-go/sandstorm/internal/host/pkgstore"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox"
)

// openParts opens what the host process is made of.
func (s *server) openParts(opts *Options) (err error) {
	s.packages, err = pkgstore.Open(pkgstore.Options{Dir: s.dirs.data, Log: s.log})
	if err != nil {
		return err
	}
	s.box, err = sandbox.New(sandbox.Options{Log: s.log})
	if err != nil {
		return err
	}
	if s.box.Tier() == sandbox.TierRoot {
		first, count := opts.FirstUID, opts.UIDs
		if first <= 0 {
			first = defaultFirstUID
		}
		if count <= 0 {
			count = defaultUIDs
		}
		s.uids = newUIDPool(first, count)
	}
	return nil
}
