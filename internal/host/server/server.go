// Package server is the host process: it keeps packages, runs grains, and does
// for its one client, the server that faces the network, what package host
// says. What runs is kept on disk and in the kernel, never only in its memory,
// so that it can be killed at any moment and the next host process goes on.
package server

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/pkgstore"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox"
)

// The range of user ids for grains if the options name none: above what
// distributions give to people and services.
const (
	defaultFirstUID = 1_000_000
	defaultUIDs     = 1_000_000
)

// Options say how a host process runs.
type Options struct {
	// DataDir is where packages and grains are kept.
	DataDir string
	// SocketPath is where to listen; empty means socket/host in DataDir.
	SocketPath string
	// ServerUID and ServerGID are the ids of the server process if it is
	// another user than the host process; 0 if not. Besides that user only root
	// and the host's own user may connect.
	ServerUID, ServerGID int
	// FirstUID and UIDs are the range of user ids that grains get, one each,
	// when the host is root; zero means 1,000,000 to 1,999,999.
	FirstUID, UIDs int
	// DevTimeout is how long a grain may take to start whose files are served by
	// a program; zero means 20 seconds.
	DevTimeout time.Duration
	// Log is where the host says what it does.
	Log *slog.Logger
	// Ready, if set, is called once the host answers.
	Ready func()
}

// server is a host process that runs.
type server struct {
	log      *slog.Logger
	dirs     *dirs
	packages *pkgstore.Store
	box      *sandbox.Launcher
	uids     *uidPool // nil if all grains run as the host's user
	table    *table
	events   events
	devs     devs
	devTime  time.Duration // see Options.DevTimeout
	started  time.Time
	handlers map[string]handler

	life       context.Context // ends with the host process
	quit       context.CancelFunc
	background sync.WaitGroup // everything that goes on without a connection

	probe struct { // of the machine's features
		mu   sync.Mutex
		at   time.Time
		list []host.Feature
	}

	packageUse sync.RWMutex  // read: a start counts on its package; write: one is removed
	removing   chan struct{} // holds a token while a tree is removed
	followers  chan struct{} // a token for each log that is read
}

// Run is the host process: it takes over the grains that run, listens, and
// returns nil when ctx ends or a client shuts it down. Grains go on without
// it. A second host on the same directory fails with Conflict.
func Run(ctx context.Context, opts Options) error {
	dirs, err := openDirs(opts.DataDir)
	if err != nil {
		return err
	}
	defer dirs.close()
	if err := lockHost(dirs); err != nil {
		return err
	}
	s, err := newServer(ctx, dirs, &opts)
	if err != nil {
		return err
	}
	defer s.box.Close()
	defer s.background.Wait()
	defer s.quit()
	if err := s.takeOver(); err != nil {
		return err
	}
	return s.listen(&opts)
}

func newServer(ctx context.Context, dirs *dirs, opts *Options) (*server, error) {
	s := &server{
		log: opts.Log, dirs: dirs, devTime: opts.DevTimeout, started: time.Now().UTC(),
		table:     &table{dirs: dirs, grains: map[sandstorm.GrainID]*grain{}},
		removing:  make(chan struct{}, 1),
		followers: make(chan struct{}, maxFollowers),
	}
	if s.devTime <= 0 {
		s.devTime = devStartTimeout
	}
	if opts.Log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.handlers = s.operations()
	s.life, s.quit = context.WithCancel(ctx)
	if err := s.openParts(opts); err != nil {
		s.quit()
		return nil, err
	}
	return s, nil
}

// lockHost makes sure that there is one host process per directory. The lock
// is on the directory of the grains itself and ends with the process.
func lockHost(d *dirs) error {
	ok, err := tryLock(d.grains.fd)
	if err == nil && !ok {
		err = sandstorm.Errorf(sandstorm.Conflict, "host.running", "a host process runs already on %s", d.data).With("path", d.data)
	}
	return err
}

// listGrains lists what runs now.
func (s *server) listGrains() []host.GrainStatus {
	out := []host.GrainStatus{}
	for _, r := range s.table.runs() {
		if r.alive() {
			out = append(out, r.status)
		}
	}
	return out
}

// info describes the machine.
func (s *server) info() *host.Info {
	return &host.Info{PID: os.Getpid(), Kernel: kernelRelease(), Tier: string(s.box.Tier()), Started: s.started, Features: s.features()}
}

// features examines the machine, at most once in featuresEvery: it takes
// processes and namespaces to do so.
func (s *server) features() []host.Feature {
	s.probe.mu.Lock()
	defer s.probe.mu.Unlock()
	if time.Since(s.probe.at) > featuresEvery {
		s.probe.list, s.probe.at = sandbox.Features(), time.Now()
	}
	return s.probe.list
}

const featuresEvery = 10 * time.Second

func kernelRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// shutdown ends the host process once the caller has its answer.
func (s *server) shutdown(ctx context.Context, stopGrains bool) error {
	if stopGrains {
		if err := s.stopAll(ctx); err != nil {
			return err
		}
	}
	s.log.Info("host process ends on request", "stopGrains", stopGrains)
	time.AfterFunc(shutdownDelay, s.quit)
	return nil
}

// shutdownDelay lets the answer to a shutdown go out.
const shutdownDelay = 50 * time.Millisecond

// stopAll ends all grains, at the same time.
func (s *server) stopAll(ctx context.Context) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	for _, r := range s.table.runs() {
		wg.Go(func() {
			if err := s.end(ctx, r); err != nil {
				mu.Lock()
				failed = append(failed, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}
