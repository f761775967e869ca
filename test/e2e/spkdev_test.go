package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/test/harness"
)

// workbench is an app on a packager's disk, with `spk dev` running on it.
type workbench struct {
	t     *testing.T
	s     *harness.Server
	dir   string
	said  harness.Output
	stop  func()
	ended chan error
}

const workbenchDefinition = `@0xf2d0c6a1b9e84712;
using Spk = import "/sandstorm/package.capnp";
const pkgdef :Spk.PackageDefinition = (
  id = "APP-ID",
  manifest = (
    appTitle = (defaultText = "Workbench"), appVersion = 1, appMarketingVersion = (defaultText = "1"),
    actions = [(title = (defaultText = "New piece"), command = .start)], continueCommand = .start,
  ),
  sourceMap = (searchPath = [(sourcePath = "src")]),
  fileList = "files.list",
);
const start :Spk.Manifest.Command = (argv = ["/sandstorm-http-bridge", "8000", "--", "/bin/app"]);
`

func newWorkbench(t *testing.T, s *harness.Server) *workbench {
	t.Helper()
	app, err := devProgram()
	if err != nil {
		t.Fatal(err)
	}
	w := &workbench{t: t, s: s, dir: filepath.Join(filepath.Dir(s.Data), "work")}
	for _, dir := range []string{"src/bin", "src/unused"} {
		if err := os.MkdirAll(filepath.Join(w.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.write("src/bin/app", string(app), 0o755)
	w.write("src/says", "one", 0o644)
	w.write("src/unused/file", "never used", 0o644)
	w.write("files.list", "bin/app\nsays\n", 0o644)
	w.write("sandstorm-pkgdef.capnp", strings.Replace(workbenchDefinition, "APP-ID", string(devAppID()), 1), 0o644)
	if s.User {
		for _, p := range []string{"", "files.list"} {
			if err := os.Chown(filepath.Join(w.dir, p), harness.Nobody, harness.Nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	return w
}

func (w *workbench) write(name, content string, mode os.FileMode) {
	w.t.Helper()
	// As editors do: a new file in the place of the old one.
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path+".new", []byte(content), mode); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		w.t.Fatal(err)
	}
}

// run starts `spk dev` and waits until it says that the app is there.
func (w *workbench) run(args ...string) {
	w.t.Helper()
	cmd := w.s.Cmd(append([]string{"spk", "dev", "--server", w.s.Data}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.dir, &w.said, &w.said
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.ended = make(chan error, 1)
	go func() { w.ended <- cmd.Wait() }()
	w.stop = func() { _ = cmd.Process.Signal(syscall.SIGINT) }
	w.t.Cleanup(func() { _ = cmd.Process.Kill() })
	w.awaits("in development at " + w.s.BaseURL)
}

func (w *workbench) awaits(words string) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(w.said.String(), words); time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-w.ended:
			w.t.Fatalf("spk dev ended: %v\n%s", err, w.said.String())
		default:
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("spk dev never said %q:\n%s", words, w.said.String())
		}
	}
}

// finish interrupts it.
func (w *workbench) finish() {
	w.t.Helper()
	w.stop()
	select {
	case err := <-w.ended:
		if err != nil {
			w.t.Errorf("spk dev: %v\n%s", err, w.said.String())
		}
	case <-time.After(30 * time.Second):
		w.t.Fatalf("spk dev does not end:\n%s", w.said.String())
	}
}

func (w *workbench) list() string {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, "files.list"))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

// TestSpkDev: the packager's command on a real server, as root with FUSE, and as
// an ordinary user on a machine that keeps FUSE to root, with copies.
func TestSpkDev(t *testing.T) {
	harness.Tiers(t, func(t *testing.T, s *harness.Server) {
		w := newWorkbench(t, s)
		w.run()
		if copied := strings.Contains(w.said.String(), "copied instead"); copied == mayMount(s) {
			t.Errorf("copied: %v\n%s", copied, w.said.String())
		}
		id := s.Grain(harness.App{AppID: string(devAppID()), Title: "Piece"})
		origin, client := s.Session(id)
		wantSays(t, s, client, origin, "one, start 1")

		w.write("src/says", "two", 0o644)
		w.awaits("src/says. The app's grains start anew.")
		wantSays(t, s, client, origin, "two, start 2")

		// A definition that makes no sense changes nothing, until it does.
		text := strings.Replace(workbenchDefinition, "APP-ID", string(devAppID()), 1)
		w.write("sandstorm-pkgdef.capnp", strings.Replace(text, "appTitle", "apTitle", 1), 0o644)
		w.awaits("sandstorm-pkgdef.capnp:6:")
		wantSays(t, s, client, origin, "two, start 2")
		w.write("sandstorm-pkgdef.capnp", strings.Replace(text, "Workbench", "Bench", 1), 0o644)
		w.awaits("sandstorm-pkgdef.capnp. The app's grains start anew.")
		wantSays(t, s, client, origin, "two, start 3")

		w.finish()
		if !mayMount(s) {
			return // nothing was traced
		}
		if list := w.list(); !strings.Contains(list, "\nbin/app\n") || !strings.Contains(list, "\nsays\n") || strings.Contains(list, "unused") {
			t.Errorf("the list of files:\n%s", list)
		}
	})
}

// TestSpkDevMount: the package can be looked at without a server.
func TestSpkDevMount(t *testing.T) {
	s := harness.Start(t, false)
	w := newWorkbench(t, s)
	if os.Getuid() != 0 {
		out, err := s.Cmd("spk", "dev", "-p", filepath.Join(w.dir, "sandstorm-pkgdef.capnp"), "--mount", t.TempDir()).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "fuse3") {
			t.Errorf("without root: %v\n%s", err, out)
		}
		return
	}
	at := filepath.Join(w.dir, "mnt")
	if err := os.Mkdir(at, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := s.Cmd("spk", "dev", "--mount", at)
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.dir, &w.said, &w.said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.ended = make(chan error, 1)
	go func() { w.ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	w.stop = func() { _ = cmd.Process.Signal(syscall.SIGINT) }
	w.awaits("The package is at " + at)
	if b, err := os.ReadFile(filepath.Join(at, "unused/file")); err != nil || string(b) != "never used" {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(at, "sandstorm-manifest")); err != nil || !strings.Contains(string(b), "Workbench") {
		t.Errorf("%q, %v", b, err)
	}
	if err := os.WriteFile(filepath.Join(at, "new"), nil, 0o644); err == nil {
		t.Error("the package can be written to")
	}
	w.finish()
	if entries, err := os.ReadDir(at); err != nil || len(entries) > 0 {
		t.Errorf("still mounted: %v, %v", entries, err)
	}
	if !strings.Contains(w.list(), "\nunused/file\n") {
		t.Errorf("the list of files:\n%s", w.list())
	}
}
