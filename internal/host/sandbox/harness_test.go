//go:build linux && amd64

package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/host"
	"golang.org/x/sys/unix"
)

// The tests run in both tiers: as root they run themselves once more as an
// ordinary user, and an ordinary user's run enters a user namespace first.
const (
	probeEnv = "SANDBOX_TEST_PROBE" // path of the compiled testdata/probe
	tempEnv  = "SANDBOX_TEST_TEMP"  // directory to remove at the end
)

// ordinaryID is the user and group id of the second run.
const ordinaryID = 65534

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if what := os.Getenv(helperEnv); what != "" {
		return helper(what)
	}
	if os.Getenv(probeEnv) == "" {
		if err := buildProbe(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if NeedsUserNamespace() {
		fmt.Fprintln(os.Stderr, ReexecInUserNamespace())
		return 1
	}
	if dir := os.Getenv(tempEnv); dir != "" {
		defer os.RemoveAll(dir)
	}
	return m.Run()
}

// buildProbe compiles the program that looks around in grains.
func buildProbe() error {
	dir, err := os.MkdirTemp("", "sandbox-test-")
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	probe := filepath.Join(dir, "probe")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", probe, "./testdata/probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("build probe: %w\n%s", err, out), os.RemoveAll(dir))
	}
	if err := os.Setenv(tempEnv, dir); err != nil {
		return err
	}
	return os.Setenv(probeEnv, probe)
}

// box is a package, a grain's storage and its log for one test.
type box struct {
	Config
	t   *testing.T
	l   *Launcher
	log *os.File // the reading end
}

func newLauncher(t *testing.T) *Launcher {
	t.Helper()
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// newBox makes a package that contains the probe and all mount points.
func newBox(t *testing.T, l *Launcher, args ...string) *box {
	t.Helper()
	b := &box{t: t, l: l}
	b.Root, b.Var = filepath.Join(t.TempDir(), "package"), filepath.Join(t.TempDir(), "var")
	for _, dir := range []string{"dev", "tmp", "var", "proc", "etc"} {
		b.must(os.MkdirAll(filepath.Join(b.Root, dir), 0o755))
	}
	b.must(os.WriteFile(filepath.Join(b.Root, "proc/cpuinfo"), nil, 0o644))
	b.must(os.WriteFile(filepath.Join(b.Root, "etc/hosts"), []byte("127.0.0.1 localhost\n"), 0o644))
	data, err := os.ReadFile(os.Getenv(probeEnv))
	b.must(err)
	b.must(os.WriteFile(filepath.Join(b.Root, "probe"), data, 0o755))
	b.must(os.Mkdir(b.Var, 0o770))
	if l.Tier() == TierRoot {
		b.HostUID, b.HostGID = 12345, 12346
		b.must(os.Chown(b.Var, b.HostUID, b.HostGID))
	}
	r, w, err := os.Pipe()
	b.must(err)
	b.log, b.Log = r, w
	t.Cleanup(func() { closeAll(r, w) })
	b.Argv = append([]string{"/probe"}, args...)
	return b
}

func (b *box) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// start starts the grain and gives up the log's writing end.
func (b *box) start() *Process {
	b.t.Helper()
	p, err := b.l.Start(testContext(b.t), b.Config)
	b.must(err)
	b.must(b.Log.Close())
	b.t.Cleanup(func() {
		_ = p.Kill()
		<-p.Done()
	})
	return p
}

// output starts the grain and returns its whole log and how it ended.
func (b *box) output() (string, host.Exit) {
	b.t.Helper()
	p := b.start()
	out, err := io.ReadAll(b.log)
	b.must(err)
	exit, err := p.Wait(testContext(b.t))
	b.must(err)
	return string(out), exit
}

// report starts a probe that prints JSON and decodes it.
func report[T any](b *box) T {
	b.t.Helper()
	var v T
	out, exit := b.output()
	if exit != (host.Exit{}) {
		b.t.Fatalf("probe ended with %+v: %s", exit, out)
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		b.t.Fatalf("%v: %s", err, out)
	}
	return v
}

// readLine reads the log up to the first newline.
func (b *box) readLine() string {
	b.t.Helper()
	var line []byte
	for c := make([]byte, 1); !bytes.HasSuffix(line, []byte("\n")); line = append(line, c...) {
		if _, err := b.log.Read(c); err != nil {
			b.t.Fatalf("log after %q: %v", line, err)
		}
	}
	return string(line[:len(line)-1])
}

// As root, everything is tested once more as an ordinary user.
func TestOrdinaryUser(t *testing.T) {
	if CurrentTier() != TierRoot {
		t.Log("this is an ordinary user")
		return
	}
	dir, err := os.MkdirTemp("", "sandbox-user-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe := filepath.Join(dir, "test")
	data, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(exe, data, 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-test.count=1", "-test.timeout=2m"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), tempEnv+"=", "GOCOVERDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinaryID, Gid: ordinaryID}}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// errnoIs reports whether err holds a start error of this step and errno.
func errnoIs(err error, step string, errno unix.Errno) bool {
	e, ok := asStartError(err)
	return ok && e.Step == step && e.Errno == unix.ErrnoName(errno)
}
