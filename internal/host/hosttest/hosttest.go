// Package hosttest is a host without sandboxes for the tests of the rules: its
// grains are HTTP handlers in this process, and it can make them fail in every
// way that the rules must cope with. How the real host behaves is tested in
// host/server; the contract that both keep is host.Client.
package hosttest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// Host is an in-memory host.Client. Set its fields before use.
type Host struct {
	Handler  http.Handler // what every grain serves
	Packages map[sandstorm.PackageID]host.Installed

	mu       sync.Mutex
	Starts   []host.StartRequest // all that were made
	StartErr error               // what the next starts fail with
	devErr   error               // what OpenDev fails with
	devs     []*devPackage
	grains   map[sandstorm.GrainID]int64
	running  map[sandstorm.GrainID]*instance
	watchers []chan host.Event
	seq      int
}

type instance struct {
	status host.GrainStatus
	server *http.Server
	addr   string
}

var _ host.Client = (*Host)(nil)

// New makes a host whose grains serve h.
func New(h http.Handler) *Host {
	return &Host{
		Handler: h, Packages: map[sandstorm.PackageID]host.Installed{},
		grains: map[sandstorm.GrainID]int64{}, running: map[sandstorm.GrainID]*instance{},
	}
}

// Add makes a package with one action installable: the text "TITLE VERSION"
// stands for its .spk.
func (h *Host) Add(app sandstorm.AppID, title string, version uint32) (spk string, pkg sandstorm.Package) {
	spk = title + " " + strconv.Itoa(int(version))
	sum := sha256.Sum256([]byte(spk))
	pkg = sandstorm.Package{
		ID: sandstorm.PackageID(hex.EncodeToString(sum[:16])), AppID: app, SHA256: hex.EncodeToString(sum[:]),
		Manifest: sandstorm.Manifest{
			AppTitle: sandstorm.LocalizedText{Default: title}, AppVersion: version,
			Actions:  []sandstorm.Action{{Title: sandstorm.LocalizedText{Default: "New " + title}}},
			Continue: &sandstorm.Command{Argv: []string{"/run"}},
		},
		Bridge: &sandstorm.BridgeConfig{Permissions: []sandstorm.PermissionDef{{Name: "edit"}, {Name: "view"}}},
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Packages[pkg.ID] = host.Installed{Package: pkg}
	return spk, pkg
}

// Crash ends a running grain as if its app had exited with code.
func (h *Host) Crash(id sandstorm.GrainID, code int) {
	h.end(id, host.Exit{Code: code})
}

// FailStarts makes starts fail with err until called with nil.
func (h *Host) FailStarts(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.StartErr = err
}

// StartCount is how many starts were asked for.
func (h *Host) StartCount() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.Starts)
}

func (h *Host) end(id sandstorm.GrainID, exit host.Exit) {
	h.mu.Lock()
	in := h.running[id]
	delete(h.running, id)
	var watchers []chan host.Event
	if in != nil {
		watchers = append(watchers, h.watchers...)
	}
	h.mu.Unlock()
	if in == nil {
		return
	}
	in.server.Close()
	for _, w := range watchers {
		w <- host.Event{Grain: id, Instance: in.status.Instance, Exit: exit}
	}
}

// InstallPackage implements host.Client.
func (h *Host) InstallPackage(_ context.Context, src io.Reader, opts host.InstallOptions) (*host.Installed, error) {
	b, err := io.ReadAll(src)
	if err != nil {
		return nil, err
	}
	if opts.Progress != nil {
		opts.Progress(int64(len(b)))
	}
	sum := sha256.Sum256(b)
	id := sandstorm.PackageID(hex.EncodeToString(sum[:16]))
	if opts.Want != "" && opts.Want != id {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "package.hash-mismatch", "got %s, want %s", id, opts.Want)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	in, ok := h.Packages[id]
	if !ok {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "package.bad-magic", "not a package")
	}
	return &in, nil
}

// RemovePackage implements host.Client.
func (h *Host) RemovePackage(_ context.Context, id sandstorm.PackageID) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.Packages, id)
	return nil
}

// Package implements host.Client.
func (h *Host) Package(_ context.Context, id sandstorm.PackageID) (*host.Installed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	in, ok := h.Packages[id]
	if !ok {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "package.not-found", "no package %s", id)
	}
	return &in, nil
}

// CreateGrain implements host.Client.
func (h *Host) CreateGrain(_ context.Context, l host.Lease) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.grains[l.Grain]; ok {
		return sandstorm.Errorf(sandstorm.Conflict, "grain.exists", "grain %s exists", l.Grain)
	}
	h.grains[l.Grain] = l.Epoch
	return nil
}

// StartGrain implements host.Client.
func (h *Host) StartGrain(_ context.Context, req host.StartRequest) (*host.GrainStatus, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Starts = append(h.Starts, req)
	if h.StartErr != nil {
		return nil, h.StartErr
	}
	if req.Lease.Epoch < h.grains[req.Lease.Grain] {
		return nil, sandstorm.Errorf(sandstorm.Fenced, "grain.fenced", "epoch %d is over", req.Lease.Epoch)
	}
	h.grains[req.Lease.Grain] = req.Lease.Epoch
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h.seq++
	in := &instance{
		status: host.GrainStatus{
			Grain: req.Lease.Grain, Epoch: req.Lease.Epoch, Instance: strconv.Itoa(h.seq),
			Package: req.Package, PID: 1, Started: time.Now(),
		},
		server: &http.Server{Handler: h.Handler},
		addr:   l.Addr().String(),
	}
	go in.server.Serve(l)
	h.running[req.Lease.Grain] = in
	return &in.status, nil
}

// StopGrain implements host.Client.
func (h *Host) StopGrain(_ context.Context, l host.Lease) error {
	h.end(l.Grain, host.Exit{Stopped: true})
	return nil
}

// DeleteGrain implements host.Client.
func (h *Host) DeleteGrain(_ context.Context, l host.Lease) error {
	h.end(l.Grain, host.Exit{Stopped: true})
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.grains[l.Grain]; !ok {
		return sandstorm.Errorf(sandstorm.NotFound, "grain.not-found", "no grain %s", l.Grain)
	}
	delete(h.grains, l.Grain)
	return nil
}

// Exists reports whether the grain has storage.
func (h *Host) Exists(id sandstorm.GrainID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.grains[id]
	return ok
}

// Grains implements host.Client.
func (h *Host) Grains(context.Context) ([]host.GrainStatus, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []host.GrainStatus
	for _, in := range h.running {
		out = append(out, in.status)
	}
	return out, nil
}

// DialGrain implements host.Client.
func (h *Host) DialGrain(ctx context.Context, id sandstorm.GrainID, name string) (net.Conn, error) {
	h.mu.Lock()
	in := h.running[id]
	h.mu.Unlock()
	if in == nil || in.status.Instance != name {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "grain.not-running", "grain %s does not run", id)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", in.addr)
}

// GrainLog implements host.Client.
func (h *Host) GrainLog(context.Context, sandstorm.GrainID, int64, bool) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("log\n")), nil
}

// GrainSize implements host.Client.
func (h *Host) GrainSize(context.Context, sandstorm.GrainID) (int64, error) { return 4096, nil }

// Watch implements host.Client.
func (h *Host) Watch(ctx context.Context) (<-chan host.Event, error) {
	in, out := make(chan host.Event, 64), make(chan host.Event)
	h.mu.Lock()
	h.watchers = append(h.watchers, in)
	h.mu.Unlock()
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-in:
				select {
				case out <- e:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out, nil
}

// Info implements host.Client.
func (h *Host) Info(context.Context) (*host.Info, error) { return &host.Info{Tier: "none"}, nil }

// Shutdown implements host.Client.
func (h *Host) Shutdown(context.Context, bool) error { return errors.ErrUnsupported }

// Close implements host.Client.
func (h *Host) Close() error { return nil }
