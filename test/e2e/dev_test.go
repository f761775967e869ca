package e2e

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/control"
	"github.com/sandstorm-go/sandstorm/internal/spk"
	"github.com/sandstorm-go/sandstorm/test/browsertest"
	"github.com/sandstorm-go/sandstorm/test/harness"
)

// devKey is the key of the app once it is published; developing needs another.
var devKey = ed25519.NewKeyFromSeed([]byte("another key of tests, not secret"))

func devAppID() sandstorm.AppID {
	return sandstorm.AppIDFromKey([32]byte(devKey.Public().(ed25519.PublicKey)))
}

// devProgram is the app, built once.
var devProgram = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "devapp")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "app")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "./testdata/devapp")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(bin)
})

// devTree is an app on a developer's disk.
type devTree struct {
	t   *testing.T
	dir string
}

func newDevTree(t *testing.T) *devTree {
	t.Helper()
	app, err := devProgram()
	if err != nil {
		t.Fatal(err)
	}
	v := &devTree{t: t, dir: t.TempDir()}
	for _, dir := range []string{"bin", "dev", "tmp", "var", "proc"} {
		if err := os.Mkdir(filepath.Join(v.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	v.write("proc/cpuinfo", nil, 0o644)
	v.write("bin/app", app, 0o755)
	return v
}

func (v *devTree) write(name string, content []byte, mode os.FileMode) {
	v.t.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, name), content, mode); err != nil {
		v.t.Fatal(err)
	}
}

func (v *devTree) says(text string) { v.write("says", []byte(text), 0o644) }

// pack makes a .spk of what the tree holds, or of no more than what the server
// needs of an app that is served to it.
func (v *devTree) pack(key ed25519.PrivateKey, version uint32, whole bool) *bytes.Reader {
	v.t.Helper()
	command := sandstorm.Command{Argv: []string{"/sandstorm-http-bridge", "8000", "--", "/bin/app"}}
	manifest, err := spk.BuildManifest(&sandstorm.Manifest{
		AppTitle: sandstorm.LocalizedText{Default: "Workbench"}, AppVersion: version,
		MarketingVersion: sandstorm.LocalizedText{Default: fmt.Sprint(version)},
		Actions:          []sandstorm.Action{{NounPhrase: sandstorm.LocalizedText{Default: "piece"}, Command: command}},
		Continue:         &command,
	}, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	root := spk.NewDirectory("")
	root.Put(spk.NewFile(spk.ManifestName, manifest, false))
	if whole {
		for _, name := range []string{"says", "bin/app"} {
			content, err := os.ReadFile(filepath.Join(v.dir, name))
			if err == nil {
				err = root.PutAt(strings.TrimPrefix(filepath.Dir(name), "."), spk.NewFile(filepath.Base(name), content, name == "bin/app"))
			}
			if err != nil {
				v.t.Fatal(err)
			}
		}
		if err := root.AddMountPoints(); err != nil {
			v.t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if _, err := spk.Write(v.t.Context(), &out, key, root, spk.WriteOptions{Store: true}); err != nil {
		v.t.Fatal(err)
	}
	return bytes.NewReader(out.Bytes())
}

// throwAway is a key as whoever develops makes one.
func throwAway(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// developer develops the app against a server.
type developer struct {
	*control.Dev
	t    *testing.T
	tree *devTree
	key  ed25519.PrivateKey
	fuse bool
}

// develop mounts the app where that is possible and sends a copy where not.
func develop(t *testing.T, s *harness.Server, tree *devTree) *developer {
	t.Helper()
	d := &developer{t: t, tree: tree, key: throwAway(t), fuse: true}
	err := d.open(s)
	var refused *control.Error
	if errors.As(err, &refused) && refused.Key == control.KeyNoFUSE {
		if mayMount(s) {
			t.Fatalf("the server does not mount the app: %v", err)
		}
		d.fuse = false
		err = d.open(s)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if d.fuse {
		d.serve()
	}
	return d
}

// mayMount reports whether the server's user may open the FUSE device.
func mayMount(s *harness.Server) bool {
	st, err := os.Stat("/dev/fuse")
	return err == nil && (!s.User && os.Getuid() == 0 || st.Mode()&0o006 == 0o006)
}

func (d *developer) open(s *harness.Server) (err error) {
	pkg := d.tree.pack(d.key, 1, !d.fuse)
	opts := control.DevOptions{App: devAppID(), Mount: d.fuse}
	d.Dev, err = control.OpenDev(d.t.Context(), control.DevSocket(s.Data), opts, pkg, pkg.Size())
	return err
}

// serve serves the tree through the descriptor that the server gave.
func (d *developer) serve() {
	d.t.Helper()
	root, err := fs.NewLoopbackRoot(d.tree.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	fd, err := unix.FcntlInt(d.FUSE().Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	d.FUSE().Close()
	server, err := fuse.NewServer(fs.NewNodeFS(root, nil), fmt.Sprintf("/dev/fd/%d", fd), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	go server.Serve()
}

func (d *developer) update(version uint32) {
	d.t.Helper()
	pkg := d.tree.pack(d.key, version, !d.fuse)
	if err := d.Update(d.t.Context(), pkg, pkg.Size()); err != nil {
		d.t.Fatal(err)
	}
}

// TestDevelopment: an app under development on a real server, from its first
// grain to what becomes of that when the development is over.
func TestDevelopment(t *testing.T) {
	harness.Tiers(t, func(t *testing.T, s *harness.Server) {
		tree := newDevTree(t)
		tree.says("one")
		d := develop(t, s, tree)
		app := harness.App{AppID: string(devAppID()), Title: "Piece"}
		id := s.Grain(app)
		origin, client := s.Session(id)
		wantSays(t, s, client, origin, "one, start 1")
		if _, err := control.OpenDev(t.Context(), control.DevSocket(s.Data), control.DevOptions{App: devAppID()}, tree.pack(d.key, 1, true), 100); !isKey(err, "dev.taken") {
			t.Errorf("a second developer: %v", err)
		}
		t.Run("pages", func(t *testing.T) { testDevPages(t, s, d, id) })
		tree.says("three")
		d.update(3)
		wantSays(t, s, client, origin, "three, start 3")
		if err := d.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantSays(t, s, client, origin, "three, start 4")
		t.Run("afterwards", func(t *testing.T) { testAfterDevelopment(t, s, d, id) })
		t.Run("killed server", func(t *testing.T) { testDevKill(t, s, tree, id) })
	})
}

func isKey(err error, key string) bool {
	var e *control.Error
	return errors.As(err, &e) && e.Key == key
}

func wantSays(t *testing.T, s *harness.Server, client *http.Client, origin, want string) {
	t.Helper()
	if status, body := s.Get(client, origin+"/"); status != 200 || !strings.Contains(body, want) {
		t.Errorf("the app answers %d %s, want %q", status, body, want)
	}
}

// testDevPages: everybody sees the app, marked, and an open page follows a change.
func testDevPages(t *testing.T, s *harness.Server, d *developer, id string) {
	bob := signedIn(t, s, "Bob")
	bob.Wait(`document.querySelector('.app-card[href="/apps/' + %s + '"] .dev')?.textContent === "In development"`, string(devAppID()))
	alice := signedIn(t, s, "Alice")
	in := openGrain(alice, id, "")
	in.Wait(`document.querySelector("#says")?.textContent.startsWith("one, start 1")`)
	alice.Wait(`document.querySelector(".grainbar .dev") !== null`)
	before := browsertest.Value[string](alice, shown+`.src`)
	d.tree.says("two")
	d.update(2)
	alice.Wait(`(`+shown+`?.src ?? %s) !== %s`, before, before)
	frame(alice).Wait(`document.querySelector("#says")?.textContent.startsWith("two, start 2")`)
}

// testAfterDevelopment: the grain stays. It cannot run until the app is installed.
func testAfterDevelopment(t *testing.T, s *harness.Server, d *developer, id string) {
	origin, client := s.Session(id)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Wait(); err != nil {
		t.Errorf("after Close: %v", err)
	}
	awaitNoDev(t, s)
	if status, body := s.Get(client, origin+"/"); status != http.StatusServiceUnavailable || !strings.Contains(body, "made with an app under development") {
		t.Errorf("without a package the grain answers %d %s", status, body)
	}
	if _, errs, exit := s.Command("grain", "open", id, "--user", "alice"); exit == 0 || !strings.Contains(errs, "Install it") {
		t.Errorf("opening it: exit %d, %s", exit, errs)
	}
	d.tree.says("installed")
	file := filepath.Join(filepath.Dir(s.Data), "workbench.spk")
	content, err := io.ReadAll(d.tree.pack(devKey, 4, true))
	if err == nil {
		err = os.WriteFile(file, content, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	var installed harness.App
	s.JSON(&installed, "app", "install", file)
	if installed.AppID != string(devAppID()) {
		t.Fatalf("installed %+v", installed)
	}
	wantSays(t, s, client, origin, "installed, start 5")
	var grains []struct{ ID, PackageID string }
	s.JSON(&grains, "grain", "list")
	if len(grains) != 1 || grains[0].PackageID != installed.PackageID {
		t.Errorf("the grain's package: %+v, want %s", grains, installed.PackageID)
	}
}

// awaitNoDev waits until the server knows of no development.
func awaitNoDev(t *testing.T, s *harness.Server) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left, err := filepath.Glob(filepath.Join(s.Data, "apps", "dev-*"))
		var st status
		s.JSON(&st, "status")
		if err == nil && len(left) == 0 && len(st.Running) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the development goes on: %q, %v, %+v", left, err, st.Running)
		}
	}
}

// testDevKill: a development overrides the installed package, and ends with the
// server, however that ends.
func testDevKill(t *testing.T, s *harness.Server, tree *devTree, id string) {
	tree.says("again")
	d := develop(t, s, tree)
	origin, client := s.Session(id)
	wantSays(t, s, client, origin, "again, start 6")
	tree.says("not any more")
	s.Kill()
	if err := d.Wait(); !isKey(err, "dev.server-gone") {
		t.Errorf("the developer hears %v", err)
	}
	s.Run()
	wantSays(t, s, client, origin, "installed, start 7")
}
