package server

import (
	"context"
	"encoding/json"
	"net"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// progressEvery is how often an install tells how far it is.
const progressEvery = 100 * time.Millisecond

// handleInstall unpacks the .spk that comes out of the socket beside the call.
func (s *server) handleInstall(ctx context.Context, r *request) (reply, error) {
	var p wire.InstallParams
	if err := r.decode(&p); err != nil {
		return reply{}, err
	}
	if len(r.files) != 1 {
		return reply{}, sandstorm.Errorf(sandstorm.Invalid, "host.request", "install comes with one socket, not with %d files", len(r.files))
	}
	// A socket can be made to stop a Read; other files could block for ever.
	src, err := net.FileConn(r.files[0])
	if err != nil {
		return reply{}, sandstorm.Errorf(sandstorm.Invalid, "host.request", "install: %w", err)
	}
	defer src.Close()
	defer context.AfterFunc(ctx, func() { src.Close() })()
	opts := host.InstallOptions{Want: p.Want}
	if p.Progress {
		opts.Progress = r.progress()
	}
	installed, err := s.packages.Install(ctx, src, opts)
	if err != nil {
		return reply{}, err
	}
	return reply{result: installed}, nil
}

// progress returns a function that passes figures on now and then.
func (r *request) progress() func(int64) {
	var last time.Time
	return func(read int64) {
		if time.Since(last) < progressEvery {
			return
		}
		last = time.Now()
		data, err := json.Marshal(wire.InstallProgress{Read: read})
		if err == nil {
			_ = r.tell(&wire.Message{Progress: data}) // a lost connection ends ctx
		}
	}
}

// removePackage deletes a package that no grain runs from.
func (s *server) removePackage(ctx context.Context, id sandstorm.PackageID) error {
	if _, err := sandstorm.ParsePackageID(string(id)); err != nil {
		return err
	}
	free, err := s.detachPackage(ctx, id)
	if err != nil {
		return err
	}
	return free()
}

// detachPackage takes a package away that no grain runs from. No grain starts
// meanwhile; but all may start while its files, up to a million, are deleted.
func (s *server) detachPackage(ctx context.Context, id sandstorm.PackageID) (free func() error, err error) {
	s.packageUse.Lock()
	defer s.packageUse.Unlock()
	if s.table.uses(id) {
		return nil, sandstorm.Errorf(sandstorm.Conflict, "package.in-use", "a grain runs from package %s", id)
	}
	return s.packages.Detach(ctx, id)
}
