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

// Bounds of a start: of the whole, and of the wait for a lock whose holder has
// just been killed.
const (
	startTimeout = 60 * time.Second
	lockTimeout  = 2 * time.Second
)

// startGrain makes sure that the grain runs. Callers that ask for the same at
// the same time share one start and its outcome; nobody's ctx ends it for the
// others.
func (s *server) startGrain(ctx context.Context, req host.StartRequest) (*host.GrainStatus, error) {
	g, err := s.table.acquire(req.Lease.Grain)
	if err != nil {
		return nil, err
	}
	defer s.table.release(g)
	f := s.join(ctx, g, req)
	select {
	case <-f.done:
		return f.status, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// join returns the start of that request that is under way, or begins one.
func (s *server) join(ctx context.Context, g *grain, req host.StartRequest) *flight {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	if f := g.starts[req]; f != nil {
		return f
	}
	f := &flight{done: make(chan struct{})}
	if g.starts == nil {
		g.starts = map[host.StartRequest]*flight{}
	}
	g.starts[req] = f
	g.refs++
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
	s.background.Go(func() {
		defer cancel()
		defer s.table.release(g)
		f.status, f.err = s.startLocked(ctx, g, req)
		s.table.mu.Lock()
		delete(g.starts, req)
		s.table.mu.Unlock()
		close(f.done)
	})
	return f
}

func (s *server) startLocked(ctx context.Context, g *grain, req host.StartRequest) (*host.GrainStatus, error) {
	if err := s.table.lock(ctx, g); err != nil {
		return nil, err
	}
	defer g.unlock()
	if err := fence(g.dir, g.id, req.Lease.Epoch); err != nil {
		return nil, err
	}
	if r := s.table.running(g); r != nil {
		if r.status.Epoch == req.Lease.Epoch && r.alive() {
			return &r.status, nil
		}
		if err := s.end(ctx, r); err != nil {
			return nil, err
		}
	}
	r, err := s.launch(ctx, g, req)
	if err != nil {
		s.log.Warn("grain did not start", "grain", g.id, "pkg", req.Package, "err", err)
		return nil, err
	}
	return &r.status, nil
}

// launch starts a grain that does not run. The caller holds its lock.
func (s *server) launch(ctx context.Context, g *grain, req host.StartRequest) (*run, error) {
	// Until the run is entered, the package must not be removed.
	s.packageUse.RLock()
	defer s.packageUse.RUnlock()
	cmd, err := s.command(g, req)
	if err != nil {
		return nil, err
	}
	l := &launch{server: s, grain: g, command: cmd}
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
func (s *server) command(g *grain, req host.StartRequest) (*command, error) {
	pkg, err := s.packages.Package(req.Package)
	if err != nil {
		return nil, err
	}
	chosen, err := selectCommand(&pkg.Manifest, req.Action)
	if err != nil {
		return nil, err
	}
	cmd, err := hoist(chosen)
	if err != nil {
		return nil, err
	}
	cmd.root = s.packages.Root(req.Package)
	return cmd, cmd.resolve(cmd.root, s.dirs.sandboxPath(g.id))
}

// launch is one start and the files that it needs meanwhile.
type launch struct {
	server  *server
	grain   *grain
	command *command
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
		Root: l.command.root, Var: s.dirs.sandboxPath(g.id),
		HostUID: l.uid, HostGID: l.uid,
		Argv: l.command.argv, Env: l.command.env, Port: l.command.port,
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

// pause waits a moment, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
