package server

import (
	"context"
	"io"
	"os"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// launcher is what the server needs of host/sandbox.
type launcher interface {
	// start runs a program in a new sandbox and returns after it was executed.
	start(ctx context.Context, spec launchSpec) (process, error)
	// attach finds a process again that an earlier host started; an error says
	// that it does not run any more.
	attach(pid int, startTime uint64) (process, error)
	// features tell what this machine gives.
	features() (tier string, list []host.Feature)
}

// launchSpec is one program to run in a sandbox.
type launchSpec struct {
	root, storage string // directories that become / and /var
	uid, gid      int    // its ids on this machine
	argv, env     []string
	log           *os.File   // its standard output and error
	keep          []*os.File // held open by the grain's first process
}

// process is a grain that runs.
type process interface {
	pid() int
	startTime() uint64
	// wait returns when the grain has ended, or fails when ctx is done.
	wait(ctx context.Context) (exitStatus, error)
	// kill ends all processes of the grain. It does not wait.
	kill() error
	// dial makes a TCP connection to the port inside; at most one attempt.
	dial(ctx context.Context, port int) (*os.File, error)
	close()
}

// exitStatus is how a grain's app ended.
type exitStatus struct {
	code    int
	signal  int  // 0 if it exited by itself
	unknown bool // this host was not its parent and could not learn it
}

// packages is what the server needs of host/pkgstore.
type packages interface {
	Install(ctx context.Context, src io.Reader, opts host.InstallOptions) (*host.Installed, error)
	Get(ctx context.Context, id sandstorm.PackageID) (*host.Installed, error)
	Remove(ctx context.Context, id sandstorm.PackageID) error
	// Path is the directory of an installed package's files.
	Path(id sandstorm.PackageID) string
}
