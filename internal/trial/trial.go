// Package trial runs a package's app once, without a server, to find out
// whether it starts and which files it uses. It runs in the same sandbox as a
// grain, behind the same bridge, and sees its files through package devfs.
//
// The way of a trial: trial.go says what is done in which order, host.go starts
// and ends the host process, run.go the app, visit.go asks it for pages, and
// failure.go finds the words when something goes wrong.
package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/devfs"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// Options of Run.
type Options struct {
	// Tree are the app's files. They are shown to it through FUSE. If it is nil,
	// the files are those of Package, of which a copy is made; that takes longer,
	// and all symlinks and all empty files then count as used.
	Tree devfs.Tree
	// Package is a .spk with manifest and, if there is one, the bridge's
	// configuration; who signed it does not matter. Without Tree it is complete.
	Package io.Reader
	App     sandstorm.AppID
	// Action is the index of the action that a fresh grain begins with.
	Action int
	// Visit are paths to ask for besides what the first page links.
	Visit []string
	// Settle is how long the app must not have used a new file before it counts
	// as done with starting; zero means one second.
	Settle time.Duration
	// Timeout is how long the app may take until it listens, and again for all
	// visits; zero means one minute.
	Timeout time.Duration
	// Log gets what the app logs; nil means nobody.
	Log io.Writer
	// Progress, if set, is told in a few words what begins.
	Progress func(string)
}

// Result is what a trial found.
type Result struct {
	// Used are the paths in the package that were used, sorted: see devfs.FS.Used.
	Used []string
	// Ready is the time from the start until the app listened, the first time
	// and, as an existing grain, the second; zero if that was not tried.
	Ready, ReadyAgain time.Duration
	// Status is that of the answer to GET /, after redirects; 0 if there was none.
	Status int
	// Visited are the paths that were asked for, in order.
	Visited []string
}

func (o *Options) fill() {
	if o.Settle <= 0 {
		o.Settle = time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
}

// trial is one under way.
type trial struct {
	Options
	result Result
	host   *hostProcess
	fs     *devfs.FS  // nil without Tree
	copy   *copyWatch // nil with Tree
	trace  tracer     // the one of them that there is
	dev    host.DevPackage
	pkg    *sandstorm.Package
	lease  host.Lease
	exits  exits

	hasGrain bool
	stopLog  func() // ends the copying of the app's log; nil before the first start
}

// Run starts the app as a new grain, visits its pages, and then starts it once
// more as an existing grain, which may use other files. It ends everything that
// it started, also when ctx ends.
//
// An app that does not work gives a *Failure, and with it the result as far as
// it goes; so do machines that cannot do this, but then without a result.
func Run(ctx context.Context, o Options) (*Result, error) {
	o.fill()
	t := &trial{Options: o, lease: host.Lease{Grain: sandstorm.NewGrainID(), Epoch: 1}}
	err := t.prepare(ctx)
	if err != nil {
		return nil, errors.Join(err, t.end())
	}
	err = t.all(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	// The sandbox looks at this mount point of its own.
	t.result.Used = slices.DeleteFunc(t.trace.Used(), func(path string) bool { return path == "proc/cpuinfo" })
	if endErr := t.end(); endErr != nil {
		err = errors.Join(err, endErr)
	}
	return &t.result, err
}

// prepare brings everything up to the point where the app can be started.
func (t *trial) prepare(ctx context.Context) error {
	var err error
	if t.host, err = startHost(ctx); err != nil {
		return &Failure{Reason: NoSandbox, Text: "the sandbox cannot be started on this machine", Err: err}
	}
	t.dev, err = t.host.client.OpenDev(ctx, t.Package, host.DevOptions{App: t.App, Mount: t.Tree != nil})
	if err != nil {
		return devFailure(err)
	}
	t.pkg = &t.dev.Installed().Package
	if err := t.watch(); err != nil {
		return err
	}
	events, err := t.host.client.Watch(ctx)
	if err != nil {
		return err
	}
	go t.exits.collect(events)
	err = t.host.client.CreateGrain(ctx, t.lease)
	t.hasGrain = err == nil
	return err
}

// watch begins to see what is used.
func (t *trial) watch() (err error) {
	if t.Tree == nil {
		root, err := t.host.tree()
		if err == nil {
			t.copy, err = watchCopy(root)
		}
		if err != nil {
			return fmt.Errorf("see what the app uses: %w", err)
		}
		t.trace = t.copy
		return nil
	}
	device := t.dev.FUSE()
	defer device.Close()
	if t.fs, err = devfs.Serve(device, t.Tree, devfs.Options{CacheFor: time.Hour}); err != nil {
		return &Failure{Reason: NoFUSE, Text: "the app's files cannot be shown to it", Err: err}
	}
	t.trace = t.fs
	return nil
}

// all is the trial proper.
func (t *trial) all(ctx context.Context) error {
	defer func() {
		if t.stopLog != nil {
			t.stopLog()
		}
	}()
	t.Progress("Starting the app")
	r, err := t.start(ctx, t.Action)
	if err != nil {
		return err
	}
	t.result.Ready = r.ready
	t.Progress(fmt.Sprintf("The app listens after %v", r.ready.Round(time.Millisecond)))
	t.result.Status, err = r.visit(ctx, append([]string{"/"}, t.Visit...))
	if err == nil {
		err = t.settle(ctx, r)
	}
	r.close()
	if err != nil || t.pkg.Manifest.Continue == nil {
		return err
	}
	return t.again(ctx)
}

// again starts the app as it starts for a grain that exists.
func (t *trial) again(ctx context.Context) error {
	if err := t.host.client.StopGrain(ctx, t.lease); err != nil {
		return err
	}
	t.Progress("Starting it again, as an existing grain")
	r, err := t.start(ctx, host.ActionContinue)
	if err != nil {
		return err
	}
	defer r.close()
	t.result.ReadyAgain = r.ready
	if _, err := r.visit(ctx, slices.Clone(t.result.Visited)); err != nil {
		return err
	}
	return t.settle(ctx, r)
}

// settle waits until the app has used no new file for a while.
func (t *trial) settle(ctx context.Context, r *run) error {
	deadline := time.NewTimer(t.Timeout)
	defer deadline.Stop()
	for {
		left := t.Settle - t.trace.Idle()
		if left <= 0 {
			return nil
		}
		select {
		case <-time.After(left):
		case <-deadline.C:
			return nil // it goes on and on: what it has used by now has to do
		case <-r.ended:
			return r.endFailure("although it had answered")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// followLog copies the app's log until the function that it returns is called.
func (t *trial) followLog(ctx context.Context) (stop func()) {
	if t.Log == nil {
		return func() {}
	}
	const backlog = 1 << 20
	log, err := t.host.client.GrainLog(ctx, t.lease.Grain, backlog, true)
	if err != nil {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(t.Log, log)
	}()
	return func() {
		_ = log.Close()
		<-done
	}
}

// worked reports whether an answer means that the app works.
func worked(status int) bool { return status > 0 && status < http.StatusInternalServerError }
