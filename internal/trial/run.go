package trial

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/bridge"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// run is one run of the app.
type run struct {
	t      *trial
	action int
	status *host.GrainStatus
	ready  time.Duration
	ended  <-chan struct{}
	app    *bridge.App
	failed atomic.Pointer[error] // why the bridge got no answer from the app, last
}

// start starts the app and waits until it listens.
func (t *trial) start(ctx context.Context, action int) (*run, error) {
	began := time.Now()
	status, err := t.host.client.StartGrain(ctx, host.StartRequest{Lease: t.lease, Package: t.pkg.ID, Action: action})
	if err != nil {
		return nil, t.startFailure(action, err)
	}
	if t.stopLog == nil { // it is the grain's log, not that of one run
		t.stopLog = t.followLog(ctx)
	}
	r := &run{t: t, action: action, status: status, ended: t.exits.of(status.Instance)}
	if err := r.await(ctx); err != nil {
		return nil, err
	}
	r.ready = time.Since(began)
	r.app = bridge.NewApp(bridge.AppOptions{Dial: r.dial})
	return r, nil
}

func (r *run) close() { r.app.Close() }

func (r *run) dial(ctx context.Context) (net.Conn, error) {
	return r.t.host.client.DialGrain(ctx, r.status.Grain, r.status.Instance)
}

// await waits until the app listens, but not for longer than it may take.
func (r *run) await(ctx context.Context) error {
	limited, cancel := context.WithTimeoutCause(ctx, r.t.Timeout, errSilent)
	defer cancel()
	conn, err := r.dial(limited)
	switch {
	case err == nil:
		return conn.Close()
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limited.Err() != nil:
		return r.silentFailure()
	}
	select {
	case <-r.ended:
		return r.endFailure("before it listened")
	case <-limited.Done():
		return err
	}
}

// endsSoon reports whether the app has ended. A connection breaks a moment before
// the host has seen the end.
func (r *run) endsSoon() bool {
	select {
	case <-r.ended:
		return true
	case <-time.After(endNotice):
		return false
	}
}

// endNotice is how long the news of an app's end may take.
const endNotice = time.Second

var errSilent = errors.New("the app does not listen")

// exits are the ends of the app's runs.
type exits struct {
	mu   sync.Mutex
	runs map[string]*exit // by instance
}

type exit struct {
	is   host.Exit
	done chan struct{}
	over bool
}

// get is called with mu held.
func (e *exits) get(instance string) *exit {
	if e.runs == nil {
		e.runs = map[string]*exit{}
	}
	x := e.runs[instance]
	if x == nil {
		x = &exit{done: make(chan struct{})}
		e.runs[instance] = x
	}
	return x
}

// of is closed when that run has ended.
func (e *exits) of(instance string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.get(instance).done
}

func (e *exits) why(instance string) host.Exit {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.get(instance).is
}

func (e *exits) collect(events <-chan host.Event) {
	for event := range events {
		e.mu.Lock()
		if x := e.get(event.Instance); !x.over {
			x.is, x.over = event.Exit, true
			close(x.done)
		}
		e.mu.Unlock()
	}
}
