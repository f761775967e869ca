// Package host is how the upper half of the server knows packages and grains:
// the Client contract, its types, and the client of the host process on this
// machine. The process itself is host/server; what it builds is host/sandbox;
// where packages lie is host/pkgstore.
//
// The contract is narrow on purpose: on one machine it is spoken over a Unix
// socket, on many it will be spoken to the machine that holds a grain's lease.
package host

import (
	"context"
	"io"
	"net"
	"os"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// Client starts, stops and reaches grains and keeps their packages. All
// methods may be called concurrently. Errors are *sandstorm.Error; a grain that
// cannot start gives one whose chain holds a *StartError.
type Client interface {
	// InstallPackage reads a whole .spk from src, verifies and unpacks it and
	// returns what it is. A package that is already there is verified again and
	// returned. Nothing stays behind if it fails or ctx ends.
	InstallPackage(ctx context.Context, src io.Reader, opts InstallOptions) (*Installed, error)
	// RemovePackage deletes a package's files. The caller has made sure that no
	// grain needs them; a package in use by a running grain is a Conflict.
	RemovePackage(ctx context.Context, id sandstorm.PackageID) error
	// Package returns a package that is installed, or NotFound.
	Package(ctx context.Context, id sandstorm.PackageID) (*Installed, error)

	// OpenDev takes up an app under development: src holds a .spk as InstallPackage
	// takes it, but it lasts only until it is closed, the host or this client ends,
	// or whoever serves its files fails. Unavailable with the key dev.no-fuse if
	// opts.Mount is not possible on that machine.
	OpenDev(ctx context.Context, src io.Reader, opts DevOptions) (DevPackage, error)

	// CreateGrain makes the grain's empty storage. Conflict if it exists.
	CreateGrain(ctx context.Context, lease Lease) error
	// StartGrain makes sure that the grain runs under lease and returns once its
	// command was executed (the app may not listen yet). A grain that runs under
	// the same epoch is returned as it is; under an older one it is stopped
	// first; under a newer one the call is Fenced.
	StartGrain(ctx context.Context, req StartRequest) (*GrainStatus, error)
	// StopGrain kills all processes of the grain and returns when they are gone.
	// Stopping a stopped grain does nothing.
	StopGrain(ctx context.Context, lease Lease) error
	// DeleteGrain stops the grain and deletes its storage and log.
	DeleteGrain(ctx context.Context, lease Lease) error
	// Grains lists what runs now.
	Grains(ctx context.Context) ([]GrainStatus, error)
	// DialGrain opens a connection to the app's HTTP port inside the grain. It
	// waits until the app listens, the grain ends, or ctx is done. It does not
	// start the grain: NotFound if that instance does not run.
	DialGrain(ctx context.Context, id sandstorm.GrainID, instance string) (net.Conn, error)
	// GrainLog streams the grain's log: the last backlog bytes, then, if follow,
	// whatever is added until ctx is done or the reader is closed. It does not
	// start the grain.
	GrainLog(ctx context.Context, id sandstorm.GrainID, backlog int64, follow bool) (io.ReadCloser, error)
	// GrainSize is the disk space of the grain's storage in bytes.
	GrainSize(ctx context.Context, id sandstorm.GrainID) (int64, error)

	// Watch sends an Event each time a grain ends, until ctx is done; then, or
	// when the host goes away, the channel is closed.
	Watch(ctx context.Context) (<-chan Event, error)
	// Info describes the machine and what sandbox it gives.
	Info(ctx context.Context) (*Info, error)
	// Shutdown ends the host process, after stopping all grains if stopGrains.
	Shutdown(ctx context.Context, stopGrains bool) error
	Close() error
}

// Lease is the right to run a grain and to write its files. The store gives it
// out; its epoch only ever grows. The host remembers the highest epoch that it
// saw of each grain and refuses older ones as Fenced, so that a server that was
// cut off cannot run a grain that has moved on.
type Lease struct {
	Grain sandstorm.GrainID `json:"grain"`
	Epoch int64             `json:"epoch"`
}

// ActionContinue in StartRequest.Action runs the package's continue command.
const ActionContinue = -1

// StartRequest says what a grain shall run. The command itself comes from the
// installed package, never from the caller.
type StartRequest struct {
	Lease   Lease               `json:"lease"`
	Package sandstorm.PackageID `json:"package"`
	Action  int                 `json:"action"` // index into the manifest's actions, or ActionContinue
}

// GrainStatus is a running grain.
type GrainStatus struct {
	Grain    sandstorm.GrainID   `json:"grain"`
	Epoch    int64               `json:"epoch"`
	Instance string              `json:"instance"` // names this run; a later run has another
	Package  sandstorm.PackageID `json:"package"`
	PID      int                 `json:"pid"` // of the grain's first process, on this machine
	Started  time.Time           `json:"started"`
}

// InstallOptions steer InstallPackage.
type InstallOptions struct {
	// Want, if set, is the package that was asked for: a file with another
	// hash is refused.
	Want sandstorm.PackageID
	// Progress, if set, is called now and then with the number of bytes of the
	// .spk that were read so far.
	Progress func(read int64)
}

// Installed is a package on the host together with the pictures that its
// manifest names.
type Installed struct {
	Package sandstorm.Package `json:"package"`
	Assets  []Asset           `json:"assets,omitempty"`
}

// DevOptions say how an app under development is to be run.
type DevOptions struct {
	// App is whose grains it is for; the key that signed the .spk does not matter.
	App sandstorm.AppID `json:"app"`
	// Mount asks for a FUSE file system that the caller, or whom it hands the
	// device to, serves the app's files through. The .spk then holds only the
	// manifest and the bridge configuration.
	Mount bool `json:"mount"`
	// Proc mounts /proc in its grains.
	Proc bool `json:"proc"`
}

// DevPackage is an app under development on a host. Its id, "dev-" and six more
// characters, is what StartRequest.Package names it by.
type DevPackage interface {
	// Installed is what the newest .spk says of the app.
	Installed() *Installed
	// FUSE returns the device to serve, once: from then on it is the caller's. It
	// is nil without DevOptions.Mount.
	FUSE() *os.File
	// Update takes another .spk in the place of the last one: its manifest, and
	// without Mount all files. Grains that run from the package are stopped.
	Update(ctx context.Context, src io.Reader) (*Installed, error)
	// Done is closed when the host has ended, or has ended the package because
	// its files were not served; Err then says why.
	Done() <-chan struct{}
	Err() error
	// Close stops the grains that run from it and removes it.
	Close() error
}

// Asset is a picture out of a package's manifest.
type Asset struct {
	ID       sandstorm.AssetID `json:"id"`
	MIMEType string            `json:"mimeType"`
	Content  []byte            `json:"content"`
}

// Event tells that a grain ended.
type Event struct {
	Grain    sandstorm.GrainID `json:"grain"`
	Instance string            `json:"instance"`
	Exit     Exit              `json:"exit"`
}

// Exit says why a grain's app ended.
type Exit struct {
	Stopped bool   `json:"stopped,omitempty"` // StopGrain or DeleteGrain was called
	Code    int    `json:"code,omitempty"`    // exit status, if it exited by itself
	Signal  string `json:"signal,omitempty"`  // name of the signal that killed it, for example "SIGSEGV"
	Unknown bool   `json:"unknown,omitempty"` // it ended while no host watched
}

// StartError is why a grain could not start, as data.
type StartError struct {
	Step  string `json:"step"`            // what was being done, for example "mount /var"
	Errno string `json:"errno,omitempty"` // its symbolic name, for example "EACCES"
	Hint  string `json:"hint,omitempty"`  // what would help, in English, for the administrator
}

// Error is the text for the log.
func (e *StartError) Error() string {
	s := "start grain: " + e.Step
	if e.Errno != "" {
		s += ": " + e.Errno
	}
	return s
}

// Info describes the machine.
type Info struct {
	PID      int       `json:"pid"`
	Kernel   string    `json:"kernel"`
	Tier     string    `json:"tier"` // "root" or "userns"
	Started  time.Time `json:"started"`
	Features []Feature `json:"features"`
}

// Feature is one thing that the sandbox wants of the kernel.
type Feature struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Needed bool   `json:"needed"`           // without it no grain starts
	Remedy string `json:"remedy,omitempty"` // what to do, if not OK
}
