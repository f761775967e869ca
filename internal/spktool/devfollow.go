package spktool

import (
	"context"
	"fmt"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
)

// lookEvery is how often newly used files are looked out for as well.
const lookEvery = time.Second

// follow passes changes on until ctx ends, which is nil, or the server ends it.
func (s *devSession) follow(ctx context.Context) error {
	over := make(chan error, 1)
	go func() { over <- s.dev.Wait() }()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last := s.began
	s.changes.addStamped(s.project.File, s.defined)
	for {
		now := time.Now()
		s.watchUsed(last)
		last = now
		select {
		case <-ctx.Done():
			return nil
		case err := <-over:
			return err
		case <-tick.C:
		case changed := <-s.changes.changed:
			if !s.cache {
				s.change(ctx, changed)
			}
		}
	}
}

// watchUsed looks out for changes of the files that the app used, except those
// of the system; what it had not used at the time of last may have changed since.
func (s *devSession) watchUsed(last time.Time) {
	if s.fs == nil {
		return
	}
	for _, path := range s.fs.Used() {
		if s.watched[path] {
			continue
		}
		if e, err := s.tree.Load().Resolve(path); err == nil && e.Source != "" && e.Root != "/" {
			s.changes.addSince(e.Source, last)
			s.watched[path] = true
		}
	}
}

// change restarts the app's grains. A definition that does not make sense
// meanwhile is told, and the one before goes on.
func (s *devSession) change(ctx context.Context, changed []string) {
	whole := s.copy
	for _, path := range changed {
		if path == absolute(s.project.File) {
			whole = true
			def, err := pkgdef.Load(s.def.spec, s.def.options())
			if err == nil && def.ID != s.project.ID {
				err = fmt.Errorf("%s: the app's id is another one now: end “spk dev” and start it anew", def.File)
			}
			if err != nil {
				s.say(err.Error() + "\nThe app runs as it was defined before.")
				return
			}
			s.adopt(def)
		}
	}
	if s.fs != nil {
		s.fs.Refresh()
	}
	err := error(nil)
	if whole {
		err = s.update(ctx)
	} else {
		err = s.dev.Restart(ctx)
	}
	if err != nil && ctx.Err() == nil {
		s.say("The app could not be started anew: " + explain(err))
		return
	}
	s.say("Changed: " + changed[0] + more(len(changed)-1) + ". The app's grains start anew.")
}

// adopt puts a new definition in place of the old one. What --from unpacked
// stays.
func (s *devSession) adopt(def *pkgdef.Definition) {
	s.project.tree = def.Tree(s.project.tree.Options())
	s.project.Definition = def
	clear(s.watched) // paths may lead elsewhere now
	s.tree.Store(s.project.tree)
}

func (s *devSession) update(ctx context.Context) error {
	pkg, err := s.pack(ctx)
	if err != nil {
		return err
	}
	defer pkg.Close()
	return s.dev.Update(ctx, pkg, pkg.size)
}
