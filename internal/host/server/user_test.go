package server_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// envStranger makes a test binary a stranger who knocks at the socket.
const envStranger = "HOST_TEST_STRANGER"

// beStranger succeeds if the host hangs up without an answer.
func beStranger(path string) int {
	conn, err := net.Dial(wire.Network, path)
	if err == nil {
		_, _ = conn.Write([]byte(hello))
		var n int
		n, err = conn.Read(make([]byte, 1000))
		if n > 0 {
			fmt.Println("the host answers a stranger")
			return 1
		}
	}
	if err == nil {
		fmt.Println("the host does not hang up")
		return 1
	}
	return 0
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
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp, "HOME="+tmp, envSPK+"="+pkg)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	t.Logf("%s", out)
}
