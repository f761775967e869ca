package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// devTimeout is how long the hosts under test let a served app start.
const devTimeout = 5 * time.Second

// devApp is the app under development: not the one that signed the package.
var devApp = sandstorm.AppIDFromKey([32]byte{1, 2, 3})

// envWithFUSE makes a test binary that root started in a mount namespace of its
// own become the user of that id, where ordinary users may use FUSE.
const envWithFUSE = "HOST_TEST_WITH_FUSE"

// becomeUserWithFUSE leaves the machine's /dev/fuse as it is.
func becomeUserWithFUSE(text string) {
	uid, err := strconv.Atoi(text)
	if err == nil {
		err = openFUSEToAll()
	}
	if err == nil {
		err = errors.Join(syscall.Setgroups(nil), syscall.Setresgid(uid, uid, uid), syscall.Setresuid(uid, uid, uid), os.Unsetenv(envWithFUSE))
	}
	if err == nil {
		// A process that has changed its user is not dumpable until it executes.
		err = syscall.Exec("/proc/self/exe", os.Args, os.Environ())
	}
	fmt.Fprintln(os.Stderr, "become an ordinary user:", err)
	os.Exit(1)
}

func openFUSEToAll() error {
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return nil // the tests see for themselves that there is none
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	if err := unix.Mknod("/mnt/fuse", unix.S_IFCHR|0o666, int(unix.Mkdev(10, 229))); err != nil {
		return err
	}
	if err := os.Chmod("/mnt/fuse", 0o666); err != nil {
		return err
	}
	return unix.Mount("/mnt/fuse", "/dev/fuse", "", unix.MS_BIND, "")
}

// hasFUSE reports whether an app can be mounted here.
func hasFUSE() bool {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// testApp is the program in the test package.
var testApp = sync.OnceValues(func() ([]byte, error) {
	data, err := testPackage()
	if err != nil {
		return nil, err
	}
	f, err := spk.Open(context.Background(), bytes.NewReader(data), spk.OpenOptions{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	dir, err := os.MkdirTemp("", "app")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := f.Unpack(context.Background(), filepath.Join(dir, "tree")); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "tree", "bin", "app"))
})

// devPackage packs the app with a file that says what it is.
func devPackage(t testing.TB, version uint32, says string) *bytes.Reader {
	t.Helper()
	app, err := testApp()
	must(t, err)
	data, err := packMore(app, version, map[string]string{"says": says})
	must(t, err)
	return bytes.NewReader(data)
}

// devManifest packs no more than what a mounted app needs.
func devManifest(t testing.TB, version uint32) *bytes.Reader {
	t.Helper()
	data, err := packMore(nil, version, nil)
	must(t, err)
	return bytes.NewReader(data)
}

// startDev starts a grain from an app under development.
func (r *rig) startDev(lease host.Lease, d host.DevPackage) (*host.GrainStatus, error) {
	return r.client.StartGrain(r.t.Context(), host.StartRequest{
		Lease: lease, Package: d.Installed().Package.ID, Action: actServe,
	})
}

// devTrees lists what is in apps/ of apps under development.
func (r *rig) devTrees() []string {
	list, err := filepath.Glob(filepath.Join(r.data, "apps", "dev-*"))
	must(r.t, err)
	return list
}

func testDevCopy(t *testing.T, r *rig) {
	d, err := r.client.OpenDev(t.Context(), devPackage(t, 7, "one"), host.DevOptions{App: devApp})
	must(t, err)
	pkg := d.Installed().Package
	if !pkg.ID.IsDev() || pkg.AppID != devApp || pkg.Manifest.AppVersion != 7 || d.FUSE() != nil {
		t.Errorf("package is %+v", pkg)
	}
	testDevIsNoPackage(t, r, pkg.ID)
	lease := r.create(1)
	s, err := r.startDev(lease, d)
	must(t, err)
	if got := r.ask(s, "read /says"); got != "one <nil>" {
		t.Errorf("the app says %q", got)
	}
	testDevIDs(t, r, s)
	events := r.watch()
	in, err := d.Update(t.Context(), devPackage(t, 8, "two"))
	must(t, err)
	if in.Package.ID != pkg.ID || in.Package.Manifest.AppVersion != 8 || d.Installed() != in {
		t.Errorf("updated to %+v", in.Package)
	}
	if exit := r.ended(events, s); !exit.Stopped {
		t.Errorf("the grain ended with %+v", exit)
	}
	s, err = r.startDev(lease, d)
	must(t, err)
	if got := r.ask(s, "read /says"); got != "two <nil>" {
		t.Errorf("after the update the app says %q", got)
	}
	if n := len(r.devTrees()); n != 1 {
		t.Errorf("%d trees lie in apps", n)
	}
	must(t, d.Close())
	if exit := r.ended(events, s); !exit.Stopped {
		t.Errorf("the grain ended with %+v", exit)
	}
	if left := r.devTrees(); len(left) > 0 {
		t.Errorf("left in apps: %q", left)
	}
	_, err = r.startDev(lease, d)
	wantKey(t, err, sandstorm.Unavailable, "dev.over")
	_, err = d.Update(t.Context(), devPackage(t, 9, "late"))
	wantKind(t, err, sandstorm.Unavailable)
	// The grain's data is still there for an installed package.
	r.start(lease, actServe)
}

// testDevIDs: the app has ids that it cannot have counted on, and its storage.
func testDevIDs(t *testing.T, r *rig, s *host.GrainStatus) {
	var uid, gid int
	ids := r.ask(s, "ids")
	if _, err := fmt.Sscan(ids, &uid, &gid); err != nil || uid < 1 || uid > 2000 || gid < 1 || gid > 2000 || uid == 1000 && gid == 1000 {
		t.Errorf("ids are %q", ids)
	}
	if got := r.ask(s, "write 10"); got != "<nil>" {
		t.Errorf("writing to /var: %s", got)
	}
}

// testDevIsNoPackage: what installed packages can do it cannot.
func testDevIsNoPackage(t *testing.T, r *rig, id sandstorm.PackageID) {
	_, err := r.client.Package(t.Context(), id)
	wantKind(t, err, sandstorm.Invalid)
	wantKind(t, r.client.RemovePackage(t.Context(), id), sandstorm.Invalid)
	if _, err := sandstorm.ParsePackageID(string(id)); err == nil {
		t.Errorf("%s passes for a package id", id)
	}
}

func wantKey(t testing.TB, err error, kind sandstorm.Kind, key string) {
	t.Helper()
	var known *sandstorm.Error
	if !errors.As(err, &known) || known.Kind != kind || known.Key != key {
		t.Errorf("err = %v (%#v), want %v with key %q", err, known, kind, key)
	}
}

// served is a directory that is served as an app under development.
type served struct {
	dir    string
	server *fuse.Server
	stuck  chan struct{} // closed when /stuck may be read
}

// serveDev lays an app out in a directory and serves it through device.
func serveDev(t testing.TB, device *os.File) *served {
	t.Helper()
	v := &served{dir: shortTempDir(t), stuck: make(chan struct{})}
	must(t, os.Chmod(v.dir, 0o755))
	app, err := testApp()
	must(t, err)
	for _, dir := range []string{"bin", "dev", "tmp", "var", "proc"} {
		must(t, os.Mkdir(filepath.Join(v.dir, dir), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(v.dir, "bin", "app"), app, 0o755))
	v.write(t, "proc/cpuinfo", "")
	v.write(t, "says", "one")
	v.write(t, "stuck", "never")
	top, err := fs.NewLoopbackRoot(v.dir)
	must(t, err)
	root := &servedNode{LoopbackNode: top.(*fs.LoopbackNode), served: v}
	root.RootData.RootNode = root
	second := time.Second
	raw := fs.NewNodeFS(root, &fs.Options{EntryTimeout: &second, AttrTimeout: &second})
	fd, err := unix.FcntlInt(device.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	must(t, err)
	v.server, err = fuse.NewServer(raw, fmt.Sprintf("/dev/fd/%d", fd), &fuse.MountOptions{})
	must(t, err)
	device.Close()
	go v.server.Serve()
	return v
}

func (v *served) write(t testing.TB, name, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(v.dir, name), []byte(text), 0o644))
}

// servedNode is a file of the app, one of which is never read to its end.
type servedNode struct {
	*fs.LoopbackNode
	served *served
}

func (n *servedNode) WrapChild(_ context.Context, ops fs.InodeEmbedder) fs.InodeEmbedder {
	return &servedNode{LoopbackNode: ops.(*fs.LoopbackNode), served: n.served}
}

func (n *servedNode) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if n.Path(nil) == "stuck" {
		<-n.served.stuck
	}
	return n.LoopbackNode.Open(ctx, flags)
}

func testDevMount(t *testing.T, r *rig) {
	d, err := r.client.OpenDev(t.Context(), devManifest(t, 7), host.DevOptions{App: devApp, Mount: true})
	if !hasFUSE() {
		wantKey(t, err, sandstorm.Unavailable, "dev.no-fuse")
		return
	}
	must(t, err)
	v := serveDev(t, d.FUSE())
	lease := r.create(1)
	s, err := r.startDev(lease, d)
	must(t, err)
	for question, want := range map[string]string{
		"read /says":     "one <nil>",
		"names /dev":     "null random shm urandom zero <nil>",
		"write 100":      "<nil>",
		"append /says":   "open /says: read-only file system",
		"read /dev/null": " <nil>",
		"list /tmp":      "0 <nil>",
	} {
		if got := r.ask(s, question); got != strings.TrimSpace(want) {
			t.Errorf("%s: %q", question, got)
		}
	}
	if got := r.ask(s, "read /proc/cpuinfo"); !strings.Contains(got, ":") {
		t.Errorf("/proc/cpuinfo is %q", got)
	}
	if mounts, err := os.ReadFile("/proc/self/mountinfo"); err != nil || bytes.Contains(mounts, []byte("sandstorm-dev")) {
		t.Errorf("the machine sees the mount: %v\n%s", err, mounts)
	}
	events := r.watch()
	v.write(t, "says", "two")
	_, err = d.Update(t.Context(), devManifest(t, 8))
	must(t, err)
	r.ended(events, s)
	s, err = r.startDev(lease, d)
	must(t, err)
	eventually(t, "the app sees the change", func() bool { return r.ask(s, "read /says") == "two <nil>" })
	must(t, d.Close())
	r.ended(events, s)
	v.server.Wait() // the connection is dead
	r.start(lease, actServe)
}

// testDevUnserved: nobody answers. The start of that grain fails in time, others
// start meanwhile, and whoever opened it is told.
func testDevUnserved(t *testing.T, r *rig) {
	if !hasFUSE() {
		testDevMount(t, r)
		return
	}
	d, err := r.client.OpenDev(t.Context(), devManifest(t, 1), host.DevOptions{App: devApp, Mount: true})
	must(t, err)
	device := d.FUSE()
	defer device.Close()
	lease := r.create(1)
	failed := make(chan error, 1)
	began := time.Now()
	go func() {
		_, err := r.startDev(lease, d)
		failed <- err
	}()
	_, other := r.running()
	if got := r.ask(other, "echo here"); got != "echo here" {
		t.Errorf("another grain says %q", got)
	}
	if took := time.Since(began); took > devTimeout {
		t.Errorf("another grain took %v", took)
	}
	err = <-failed
	wantKey(t, err, sandstorm.Unavailable, "dev.stalled")
	var data *host.StartError
	if !errors.As(err, &data) || data.Hint == "" {
		t.Errorf("the error says no more than %v", err)
	}
	if took := time.Since(began); took > 2*devTimeout {
		t.Errorf("it took %v to fail", took)
	}
	wantKey(t, d.Err(), sandstorm.Unavailable, "dev.stalled")
	r.start(lease, actServe)
	must(t, d.Close())
}

// testDevStuck: a grain waits for a file, which nothing but the end of the file
// system can interrupt. It can be stopped all the same.
func testDevStuck(t *testing.T, r *rig) {
	if !hasFUSE() {
		testDevMount(t, r)
		return
	}
	d, err := r.client.OpenDev(t.Context(), devManifest(t, 1), host.DevOptions{App: devApp, Mount: true})
	must(t, err)
	v := serveDev(t, d.FUSE())
	defer close(v.stuck)
	lease := r.create(1)
	s, err := r.startDev(lease, d)
	must(t, err)
	conn, err := r.client.DialGrain(t.Context(), s.Grain, s.Instance)
	must(t, err)
	defer conn.Close()
	fmt.Fprintln(conn, "read /stuck")
	eventually(t, "the app waits for the file", func() bool {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.PID, s.PID))
		return err == nil && waits(strings.Fields(string(state)))
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	must(t, r.client.StopGrain(ctx, lease))
	wantKey(t, d.Err(), sandstorm.Unavailable, "dev.stalled")
}

// waits reports whether a thread of the processes waits for a FUSE request.
func waits(pids []string) bool {
	for _, pid := range pids {
		tasks, _ := filepath.Glob("/proc/" + pid + "/task/*/wchan")
		for _, task := range tasks {
			if text, _ := os.ReadFile(task); strings.Contains(string(text), "fuse") || strings.Contains(string(text), "request_wait") {
				return true
			}
		}
	}
	return false
}

func testDevProc(t *testing.T, r *rig) {
	for _, proc := range []bool{false, true} {
		d, err := r.client.OpenDev(t.Context(), devPackage(t, 1, ""), host.DevOptions{App: devApp, Proc: proc})
		must(t, err)
		s, err := r.startDev(r.create(1), d)
		must(t, err)
		names := r.ask(s, "names /proc")
		want := "cpuinfo <nil>"
		if proc {
			// grain-init, process 1, is not to be seen.
			want = "2 self thread-self <nil>"
		}
		if names != want {
			t.Errorf("with proc %v: /proc has %q", proc, names)
		}
		if got := r.ask(s, "append /proc/self/mem"); proc && !strings.Contains(got, "read-only file system") {
			t.Errorf("a process can open its memory for writing: %s", got)
		}
		must(t, d.Close())
	}
}

func testDevBad(t *testing.T, r *rig) {
	_, err := r.client.OpenDev(t.Context(), strings.NewReader("rubbish"), host.DevOptions{App: devApp})
	wantKind(t, err, sandstorm.Invalid)
	_, err = r.client.OpenDev(t.Context(), devPackage(t, 1, ""), host.DevOptions{App: "../../etc"})
	wantKind(t, err, sandstorm.Invalid)
	mine := errors.New("the disk is gone")
	_, err = r.client.OpenDev(t.Context(), failingReader{mine}, host.DevOptions{App: devApp})
	if !errors.Is(err, mine) {
		t.Errorf("the source's own error became %v", err)
	}
	lease := r.create(1)
	for _, id := range []sandstorm.PackageID{"dev-", "dev-abcdef", "dev-/../..", sandstorm.DevPackageOf(devApp)} {
		_, err = r.client.StartGrain(t.Context(), host.StartRequest{Lease: lease, Package: id, Action: actServe})
		wantKey(t, err, sandstorm.Unavailable, "dev.over")
	}
	d, err := r.client.OpenDev(t.Context(), devPackage(t, 1, "good"), host.DevOptions{App: devApp})
	must(t, err)
	_, err = d.Update(t.Context(), strings.NewReader("rubbish"))
	wantKind(t, err, sandstorm.Invalid)
	s, err := r.startDev(lease, d)
	must(t, err)
	if got := r.ask(s, "read /says"); got != "good <nil>" {
		t.Errorf("after a bad update the app says %q", got)
	}
	must(t, d.Close())
	eventually(t, "nothing is left", func() bool {
		list, err := os.ReadDir(filepath.Join(r.data, "tmp"))
		return err == nil && len(list) == 0 && len(r.devTrees()) == 0
	})
}

// TestDevDoesNotOutliveItsHost kills the host: who develops is told, and the next
// host goes on with no grain of the app.
func TestDevDoesNotOutliveItsHost(t *testing.T) {
	r := newRig(t, true)
	d, err := r.client.OpenDev(t.Context(), devPackage(t, 1, ""), host.DevOptions{App: devApp})
	must(t, err)
	s, err := r.startDev(r.create(1), d)
	must(t, err)
	_, other := r.running()
	r.killHost()
	wantKind(t, d.Err(), sandstorm.Unavailable)
	r.spawn()
	r.connect()
	running, err := r.client.Grains(t.Context())
	must(t, err)
	if len(running) != 1 || running[0].Instance != other.Instance {
		t.Errorf("what runs is %+v", running)
	}
	eventually(t, "the grain of the app under development is gone", func() bool { return gone(s.PID) })
	if left := r.devTrees(); len(left) > 0 {
		t.Errorf("left in apps: %q", left)
	}
	must(t, d.Close())
}
