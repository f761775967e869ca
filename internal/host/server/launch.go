package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox"
)

// source is where a grain's program comes from.
type source struct {
	pkg  *sandstorm.Package
	root string                   // the directory of its files
	open func() (*os.File, error) // instead of root, if no path leads there
	proc bool                     // the app is to have /proc
	ids  [2]int                   // of the app, as it sees itself; 0 means the usual
}

// launch starts a grain that does not run. The caller holds its lock.
func (s *server) launch(ctx context.Context, g *grain, req host.StartRequest) (*run, error) {
	if req.Package.IsDev() {
		return s.launchDev(ctx, g, req)
	}
	// Until the run is entered, the package must not be removed.
	s.packageUse.RLock()
	defer s.packageUse.RUnlock()
	pkg, err := s.packages.Package(req.Package)
	if err != nil {
		return nil, err
	}
	return s.launchFrom(ctx, g, req, &source{pkg: pkg, root: s.packages.Root(req.Package)})
}

func (s *server) launchFrom(ctx context.Context, g *grain, req host.StartRequest, from *source) (*run, error) {
	cmd, err := s.command(g, req, from)
	if err != nil {
		return nil, err
	}
	l := &launch{server: s, grain: g, command: cmd, source: from}
	defer l.closeFiles()
	if err := l.prepare(ctx); err != nil {
		return nil, err
	}
	rec := &record{
		Instance: rand.Text(), Package: req.Package, Epoch: req.Lease.Epoch,
		Port: cmd.port, Started: time.Now().UTC(),
	}
	return l.run(ctx, rec)
}

// command is what the request's package runs.
func (s *server) command(g *grain, req host.StartRequest, from *source) (*command, error) {
	chosen, err := selectCommand(&from.pkg.Manifest, req.Action)
	if err != nil {
		return nil, err
	}
	cmd, err := hoist(chosen)
	if err != nil {
		return nil, err
	}
	cmd.open = from.open
	return cmd, cmd.resolve(from.root, s.dirs.sandboxPath(g.id))
}

// launch is one start and the files that it needs meanwhile.
type launch struct {
	server  *server
	grain   *grain
	command *command
	source  *source
	uid     int
	log     *grainLog
	lock    *os.File
	pipe    *logPipe
}

// prepare makes the grain's storage, log and lock ready.
func (l *launch) prepare(ctx context.Context) (err error) {
	if l.uid, err = l.server.owner(ctx, l.grain.dir); err != nil {
		return startError(sandstorm.KindOf(err), "grain.storage", "prepare storage", "", err)
	}
	if l.lock, err = l.server.lockGrain(ctx, l.grain); err != nil {
		return err
	}
	if l.log, err = l.server.table.logOf(l.grain); err != nil {
		return startError(sandstorm.Internal, "grain.storage", "open log", "", err)
	}
	if l.pipe, err = openLogPipe(l.grain.dir); err != nil {
		return startError(sandstorm.Internal, "grain.storage", "open log pipe", "", err)
	}
	return nil
}

// run executes the program and has it watched.
func (l *launch) run(ctx context.Context, rec *record) (*run, error) {
	s, g := l.server, l.grain
	if err := writeRecord(g.dir, rec); err != nil {
		return nil, startError(sandstorm.Internal, "grain.storage", "write run record", "", err)
	}
	p, err := s.box.Start(ctx, sandbox.Config{
		Root: l.source.root, OpenRoot: l.source.open, Proc: l.source.proc, Var: s.dirs.sandboxPath(g.id),
		HostUID: l.uid, HostGID: l.uid, AppUID: l.source.ids[0], AppGID: l.source.ids[1],
		Program: l.command.program, Argv: l.command.argv, Env: l.command.env, Port: l.command.port,
		Log: l.pipe.app, Keep: []*os.File{l.lock, l.pipe.keep},
	})
	if err != nil {
		err = errors.Join(asStartError(err), g.dir.remove(fileRun))
		fmt.Fprintf(l.log, "** SANDSTORM SUPERVISOR: App could not be started: %v\n", err)
		return nil, err
	}
	rec.PID, rec.StartTime = p.PID(), p.StartTime()
	if err := writeRecord(g.dir, rec); err != nil {
		// No later host could find it: it must not stay.
		_ = p.Kill()
		_, _ = p.Wait(ctx)
		return nil, startError(sandstorm.Internal, "grain.storage", "write run record", "", err)
	}
	return s.supervise(g, rec, p, l.log, l.pipe.takeReader()), nil
}

func (l *launch) closeFiles() {
	if l.lock != nil {
		l.lock.Close()
	}
	if l.pipe != nil {
		l.pipe.close()
	}
}

// lockGrain takes the grain's lock, so that it never runs twice.
func (s *server) lockGrain(ctx context.Context, g *grain) (*os.File, error) {
	f, err := g.dir.open(fileLock, unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		return nil, startError(sandstorm.Internal, "grain.storage", "open lock", "", err)
	}
	deadline := time.Now().Add(lockTimeout)
	for {
		ok, err := tryLock(int(f.Fd()))
		if ok {
			return f, nil
		}
		if err != nil {
			f.Close()
			return nil, startError(sandstorm.Internal, "grain.storage", "lock", "", err)
		}
		if time.Now().After(deadline) {
			f.Close()
			return nil, sandstorm.Errorf(sandstorm.Conflict, "grain.locked", "grain %s is locked by a process that this host does not know", g.id)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			f.Close()
			return nil, err
		}
	}
}

// asStartError makes sure that a failure to start carries its data.
func asStartError(err error) error {
	var data *host.StartError
	if !errors.As(err, &data) {
		return startError(sandstorm.Unavailable, "grain.start", "start", err.Error(), err)
	}
	var known *sandstorm.Error
	if errors.As(err, &known) {
		return err
	}
	return &sandstorm.Error{Kind: sandstorm.Unavailable, Key: "grain.start", Err: err}
}
