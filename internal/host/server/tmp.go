package server

import (
	"fmt"
	"strings"
	"time"
)

// How names in tmp begin: of grains to be removed, and of those not complete.
const (
	deleting = "deleting."
	creating = "creating."
)

// uniqueName is a name in tmp that says what it is for.
func uniqueName(prefix, id string) string {
	return fmt.Sprintf("%s%s.%d", prefix, id, time.Now().UnixNano())
}

// removeLater removes name from tmp, one tree at a time, in the background. If
// the host ends meanwhile the next one goes on with it.
func (s *server) removeLater(name string) {
	s.background.Go(func() {
		select {
		case s.removing <- struct{}{}:
			defer func() { <-s.removing }()
		case <-s.life.Done():
			return
		}
		uid := -1
		if d, err := s.dirs.tmp.sub(name); err == nil {
			if st, err := d.stat(fileSandbox); err == nil {
				uid = int(st.Uid)
			}
			d.close()
		}
		err := removeTree(s.life, s.dirs.tmp.fd, name)
		switch {
		case err == nil && s.uids != nil:
			s.uids.giveBack(uid)
		case err != nil && s.life.Err() == nil:
			s.log.Error("cannot remove", "name", name, "err", err)
		}
	})
}

// clearTmp goes on with what earlier hosts left in tmp: grains that were being
// made or removed. The rest there is the package store's.
func (s *server) clearTmp() error {
	names, err := s.dirs.tmp.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, deleting) || strings.HasPrefix(name, creating) {
			s.claimIn(s.dirs.tmp, name)
			s.removeLater(name)
		}
	}
	return nil
}

// claimIn marks the user id as used that the storage in d/name belongs to.
func (s *server) claimIn(d *dir, name string) {
	if s.uids == nil {
		return
	}
	g, err := d.sub(name)
	if err != nil {
		return
	}
	defer g.close()
	if st, err := g.stat(fileSandbox); err == nil {
		s.uids.claim(int(st.Uid))
	}
}
