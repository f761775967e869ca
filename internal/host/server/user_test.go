package server_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/server"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// envKnock makes a test binary knock at the socket of that path. It exits with
// one of the statuses.
const (
	envKnock       = "HOST_TEST_KNOCK"
	knockWelcome   = 0
	knockHungUp    = 10
	knockNoAnswer  = 11
	knockNoSocket  = 12
	knockOtherUser = 54322
)

func knock(path string) int {
	conn, err := net.Dial(wire.Network, path)
	if err != nil {
		return knockNoSocket
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(hello)); err != nil {
		return knockHungUp
	}
	n, err := conn.Read(make([]byte, 1000))
	switch {
	case n > 0:
		return knockWelcome
	case err != nil:
		return knockHungUp
	}
	return knockNoAnswer
}

// knockAs knocks as another user.
func (r *rig) knockAs(uid uint32) int {
	r.t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), envKnock+"="+host.SocketPath(r.data))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	err := cmd.Run()
	if cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

func TestWhoMayConnect(t *testing.T) {
	if os.Geteuid() != 0 {
		return // needs other users; the tests of root cover it
	}
	t.Setenv(envServerUID, itoa(knockOtherUser))
	r := newRig(t, true)
	must(t, os.Chmod(r.data, 0o755))
	if got := r.knockAs(knockOtherUser); got != knockWelcome {
		t.Errorf("the server's user: %d", got)
	}
	if got := r.knockAs(knockOtherUser + 1); got != knockNoSocket {
		t.Errorf("a stranger: %d", got)
	}
	// Even if somebody opened all doors.
	must(t, os.Chmod(filepath.Join(r.data, "socket"), 0o777))
	must(t, os.Chmod(host.SocketPath(r.data), 0o777))
	if got := r.knockAs(knockOtherUser + 1); got != knockHungUp {
		t.Errorf("a stranger through open doors: %d", got)
	}
	const nobody = 65534
	if got := r.knockAs(nobody); got != knockHungUp {
		t.Errorf("nobody: %d", got)
	}
}

// TestForeignDirectories: what somebody else could change is not used.
func TestForeignDirectories(t *testing.T) {
	if os.Geteuid() != 0 {
		return // an ordinary user cannot make directories of others
	}
	for _, name := range []string{"grains", "tmp", "apps"} {
		data := shortTempDir(t)
		must(t, os.Mkdir(filepath.Join(data, name), 0o700))
		must(t, os.Chown(filepath.Join(data, name), knockOtherUser, knockOtherUser))
		err := server.Run(t.Context(), server.Options{DataDir: data})
		wantKind(t, err, sandstorm.Denied)

		data = shortTempDir(t)
		must(t, os.Symlink("/etc", filepath.Join(data, name)))
		if err := server.Run(t.Context(), server.Options{DataDir: data}); err == nil {
			t.Errorf("%s may be a symlink", name)
		}
	}
}

// TestAsOrdinaryUser runs all tests once more without any privilege.
func TestAsOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // this is that run
	}
	const uid = 54321
	dir := shortTempDir(t)
	must(t, os.Chmod(dir, 0o755))
	tmp := filepath.Join(dir, "tmp")
	must(t, os.Mkdir(tmp, 0o700))
	must(t, os.Chown(tmp, uid, uid))
	self, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	binary, pkg := filepath.Join(dir, "test"), filepath.Join(dir, "spk")
	must(t, os.WriteFile(binary, self, 0o755))
	data, err := testPackage()
	must(t, err)
	must(t, os.WriteFile(pkg, data, 0o644))
	cmd := exec.Command(binary, "-test.run=.", "-test.timeout=5m")
	if testing.Verbose() {
		cmd.Args = append(cmd.Args, "-test.v")
	}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp, "HOME="+tmp, envSPK+"="+pkg, envWithFUSE+"="+itoa(uid))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	t.Logf("%s", out)
}
