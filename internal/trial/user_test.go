package trial_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/trial"
)

const (
	envUser   = "TRIAL_TEST_USER"   // become that user
	envFUSE   = "TRIAL_TEST_FUSE"   // the mode of /dev/fuse there
	envVictim = "TRIAL_TEST_VICTIM" // the test binary is to be killed
	envApp    = "TRIAL_TEST_APP"    // the test app, ready made
)

// becomeUser makes a test binary that root started in a mount namespace of its
// own an ordinary user's.
func becomeUser() {
	text := os.Getenv(envUser)
	if text == "" || os.Geteuid() != 0 {
		return
	}
	uid, err := strconv.Atoi(text)
	if err == nil {
		err = setFUSE(os.Getenv(envFUSE))
	}
	if err == nil {
		err = errors.Join(syscall.Setgroups(nil), syscall.Setresgid(uid, uid, uid), syscall.Setresuid(uid, uid, uid))
	}
	if err == nil {
		// A process that has changed its user is not dumpable until it executes.
		err = syscall.Exec("/proc/self/exe", os.Args, os.Environ())
	}
	fmt.Fprintln(os.Stderr, "become an ordinary user:", err)
	os.Exit(1)
}

// setFUSE sets the mode of /dev/fuse for this mount namespace only.
func setFUSE(text string) error {
	mode, err := strconv.ParseUint(text, 8, 9)
	if err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	if err := unix.Mknod("/mnt/fuse", unix.S_IFCHR|uint32(mode), int(unix.Mkdev(10, 229))); err != nil {
		return err
	}
	if err := os.Chmod("/mnt/fuse", os.FileMode(mode)); err != nil {
		return err
	}
	return unix.Mount("/mnt/fuse", "/dev/fuse", "", unix.MS_BIND, "")
}

// asUser runs tests of this binary again as an ordinary user and returns what
// they print.
func asUser(t *testing.T, tests string, env ...string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "trial-user")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o777))
	app, err := testApp()
	must(t, err)
	bin := filepath.Join(dir, "app")
	must(t, os.WriteFile(bin, app, 0o755))
	cmd := exec.Command("/proc/self/exe", "-test.run", tests, "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, envApp+"="+bin, envUser+"=54323")
	cmd.Env = append(cmd.Env, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as an ordinary user: %v\n%s", err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("left behind: %q", left)
	}
	return string(out)
}

func isRoot() bool { return os.Geteuid() == 0 }

// TestAsOrdinaryUser: with the right to use FUSE, everything works as for root.
func TestAsOrdinaryUser(t *testing.T) {
	if !isRoot() {
		return // the other tests are it
	}
	out := asUser(t, "TestTrial|TestNode|TestFailures|TestKilled|TestCopy", envFUSE+"=666")
	for _, name := range []string{"TestTrial", "TestNode", "TestFailures", "TestKilled", "TestCopy", "TestCopyFailures"} {
		if !strings.Contains(out, "--- PASS: "+name+" ") {
			t.Errorf("%s did not pass:\n%s", name, out)
		}
	}
}

// TestWithoutFUSE: whoever may not use it is told so, in a way that programs
// understand as well.
func TestWithoutFUSE(t *testing.T) {
	if isRoot() {
		if out := asUser(t, "TestWithoutFUSE", envFUSE+"=600"); !strings.Contains(out, "--- PASS: TestWithoutFUSE") {
			t.Errorf("it did not pass:\n%s", out)
		}
		return
	}
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err == nil {
		f.Close()
		return // this user may; root's tests take that right away
	}
	result, err := run(t, trial.Options{Tree: newTree(t, nil), Package: pack(t, "/app", "serve", "8000")})
	if !errors.Is(err, &trial.Failure{Reason: trial.NoFUSE}) || !strings.Contains(err.Error(), "/dev/fuse") || result != nil {
		t.Errorf("result is %v, error is %v", result, err)
	}
}
