package server

import (
	"context"
	"net"
	"os"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/pkgstore"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// Whoever serves the files of an app under development may fail to. Processes
// that wait for a file cannot be killed, so after these times the file system is
// ended by force.
const (
	devStartTimeout = 20 * time.Second // of a grain
	devKillTimeout  = 3 * time.Second  // after its processes were killed
)

// maxDevs bounds the apps under development at one time.
const maxDevs = 32

// devPackage is an app under development.
type devPackage struct {
	server *server
	id     sandstorm.PackageID
	opts   host.DevOptions
	fuse   *sandbox.FUSE // serves the files; nil if they are a tree
	failed chan error    // receives once, if it cannot go on

	// use is held for reading while a grain starts from it, for writing while it
	// is replaced or ends.
	use       sync.RWMutex
	tree      *pkgstore.DevTree // nil with fuse
	installed *host.Installed
	over      bool
}

// devs are the apps under development now.
type devs struct {
	mu   sync.Mutex
	byID map[sandstorm.PackageID]*devPackage
}

func (t *devs) get(id sandstorm.PackageID) *devPackage {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// add enters d under an id that is free, as what tree says it is.
func (t *devs) add(d *devPackage, tree *pkgstore.DevTree) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.byID) >= maxDevs {
		return sandstorm.Errorf(sandstorm.Exhausted, "dev.too-many", "%d apps are under development", len(t.byID))
	}
	if t.byID == nil {
		t.byID = map[sandstorm.PackageID]*devPackage{}
	}
	for d.id == "" || t.byID[d.id] != nil {
		d.id = sandstorm.NewDevPackageID()
	}
	d.installed = d.describe(tree)
	t.byID[d.id] = d
	return nil
}

func (t *devs) remove(id sandstorm.PackageID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, id)
}

// handleDev takes up an app under development. The first file is what its .spk
// comes out of, the second one lasts as long as the app.
func (s *server) handleDev(ctx context.Context, r *request) (reply, error) {
	var opts host.DevOptions
	if err := r.decode(&opts); err != nil {
		return reply{}, err
	}
	if id, err := sandstorm.ParseAppID(string(opts.App)); err != nil || id != opts.App {
		return reply{}, sandstorm.Errorf(sandstorm.Invalid, "id.app", "%.80q is not an app id", opts.App)
	}
	if len(r.files) != 2 {
		return reply{}, sandstorm.Errorf(sandstorm.Invalid, "host.request", "dev comes with two sockets, not with %d files", len(r.files))
	}
	life, err := net.FileConn(r.files[1])
	if err != nil {
		return reply{}, sandstorm.Errorf(sandstorm.Invalid, "host.request", "dev: %w", err)
	}
	tree, err := s.unpackDev(ctx, r.files[0])
	if err != nil {
		life.Close()
		return reply{}, err
	}
	d, device, err := s.openDev(opts, tree)
	if err != nil {
		life.Close()
		tree.Remove()
		return reply{}, err
	}
	s.background.Go(func() { d.live(life) })
	out := reply{result: d.installed}
	if device != nil {
		out.files = []*os.File{device}
	}
	return out, nil
}

// unpackDev reads a .spk out of a socket.
func (s *server) unpackDev(ctx context.Context, from *os.File) (*pkgstore.DevTree, error) {
	src, err := net.FileConn(from)
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Invalid, "host.request", "dev: %w", err)
	}
	defer src.Close()
	defer context.AfterFunc(ctx, func() { src.Close() })()
	return s.packages.UnpackDev(ctx, src)
}

// openDev enters an app under development. The device is what its files are to
// be served through, nil if the tree has them.
func (s *server) openDev(opts host.DevOptions, tree *pkgstore.DevTree) (d *devPackage, device *os.File, err error) {
	d = &devPackage{server: s, opts: opts, tree: tree, failed: make(chan error, 1)}
	if opts.Mount {
		if d.fuse, device, err = sandbox.MountFUSE(); err != nil {
			return nil, nil, err
		}
		d.tree = nil
	}
	if err := s.devs.add(d, tree); err != nil {
		d.abort()
		if device != nil {
			device.Close()
		}
		return nil, nil, err
	}
	if opts.Mount {
		tree.Remove()
	}
	s.log.Info("an app is under development", "pkg", d.id, "app", opts.App, "fuse", opts.Mount)
	return d, device, nil
}

// describe is what the host's caller gets to know of the app.
func (d *devPackage) describe(tree *pkgstore.DevTree) *host.Installed {
	out := *tree.Installed
	out.Package.ID, out.Package.AppID, out.Package.SHA256 = d.id, d.opts.App, ""
	return &out
}

// handleDevUpdate takes another .spk in the place of the last one.
func (s *server) handleDevUpdate(ctx context.Context, r *request) (reply, error) {
	var p wire.DevUpdateParams
	if err := r.decode(&p); err != nil {
		return reply{}, err
	}
	d := s.devs.get(p.Package)
	if d == nil {
		return reply{}, errDevOver(p.Package)
	}
	if len(r.files) != 1 {
		return reply{}, sandstorm.Errorf(sandstorm.Invalid, "host.request", "dev-update comes with one socket, not with %d files", len(r.files))
	}
	tree, err := s.unpackDev(ctx, r.files[0])
	if err != nil {
		return reply{}, err
	}
	installed, err := d.replace(tree)
	return reply{result: installed}, err
}

// replace takes over tree. Grains are stopped first, so that none sees parts of
// both.
func (d *devPackage) replace(tree *pkgstore.DevTree) (*host.Installed, error) {
	d.use.Lock()
	defer d.use.Unlock()
	if d.over {
		tree.Remove()
		return nil, errDevOver(d.id)
	}
	d.stopGrains()
	d.installed = d.describe(tree)
	old := d.tree
	if d.fuse != nil {
		old = tree
	} else {
		d.tree = tree
	}
	if old != nil {
		old.Remove()
	}
	return d.installed, nil
}

// unusualIDs are user and group ids that differ from start to start, so that an
// app that counts on the usual ones fails while it is developed (sandbox.md §2).
func unusualIDs(now time.Time) [2]int {
	t := int(now.Unix())
	return [2]int{t*4721%2000 + 1, t*2791%2000 + 1}
}

// launchDev starts a grain from an app under development.
func (s *server) launchDev(ctx context.Context, g *grain, req host.StartRequest) (*run, error) {
	d := s.devs.get(req.Package)
	if d == nil {
		return nil, errDevOver(req.Package)
	}
	d.use.RLock()
	defer d.use.RUnlock()
	if d.over {
		return nil, errDevOver(req.Package)
	}
	from := &source{pkg: &d.installed.Package, proc: d.opts.Proc, ids: unusualIDs(time.Now())}
	if d.fuse == nil {
		from.root = d.tree.Root()
		return s.launchFrom(ctx, g, req, from)
	}
	from.open = d.fuse.Open
	ctx, cancel := context.WithTimeout(ctx, s.devTime)
	defer cancel()
	inTime := context.AfterFunc(ctx, d.stall)
	r, err := s.launchFrom(ctx, g, req, from)
	if !inTime() && err != nil {
		err = errStalled(d.id)
	}
	return r, err
}
