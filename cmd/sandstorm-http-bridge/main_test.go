package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the bridge as packages carry it, built once for all tests.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "bridge")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "sandstorm-http-bridge")
		build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w -buildid=", "-o", program, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOAMD64=v1")
		if out, err := build.CombinedOutput(); err != nil {
			panic(fmt.Sprintf("%v\n%s", err, out))
		}
		return m.Run()
	}())
}

// runBridge returns what the program wrote and its exit status.
func runBridge(t *testing.T, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.Command(program, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, env
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestCommandLine(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		stdout string // what it contains
		stderr string
		status int
	}{
		{[]string{"--help"}, "Usage:", "", 0},
		{[]string{"--version"}, "sandstorm-http-bridge 1", "", 0},
		{nil, "", "missing", 2},
		{[]string{"8000"}, "", "command to run is missing", 2},
		{[]string{"8000", "--"}, "", "command to run is missing", 2},
		{[]string{"0", "/bin/true"}, "", "not a number", 2},
		{[]string{"8000;x", "/bin/true"}, "", "not a number", 2},
		{[]string{"--verbosity", "8000", "/bin/true"}, "", "unknown option --verbosity", 2},
		{[]string{"8000", "/bin/echo", "a", "-b", "--", "c"}, "a -b -- c\n", "", 0},
		{[]string{"8000", "--", "/bin/echo", "--help"}, "Usage: /bin/echo", "", 0},
		{[]string{"--", "8000", "/bin/echo", "x"}, "x\n", "", 0},
		{[]string{"8000", "sh", "-c", "exit 42"}, "", "exit status 42", 42},
		{[]string{"8000", "sh", "-c", "kill -9 $$"}, "", "signal 9", 137},
		{[]string{"8000", "/no/such/app"}, "", "cannot run /no/such/app", 127},
		{[]string{"8000", "/etc/passwd"}, "", "permission denied", 127},
	} {
		stdout, stderr, status := runBridge(t, []string{"PATH=/no:/bin"}, tt.args...)
		if !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) || status != tt.status || tt.stderr == "" && stderr != "" {
			t.Errorf("%q: status %d, %q, %q", tt.args, status, stdout, stderr)
		}
	}
	if !strings.Contains(usage, "Cap'n Proto side") {
		t.Error("--help does not say what is missing")
	}
}

func TestEnvironment(t *testing.T) {
	env := []string{"no_proxy=old", "KEEP=me", "http_proxy=http://evil/", "HTTP_PROXY=x"}
	stdout, _, _ := runBridge(t, env, "8000", "/usr/bin/env")
	const want = "KEEP=me\nhttp_proxy=http://127.0.0.1:15239/\nHTTP_PROXY=http://127.0.0.1:15239/\nno_proxy=localhost,127.0.0.1\n"
	if stdout != want {
		t.Errorf("environment\n%s, want\n%s", stdout, want)
	}
}

func TestScriptWithoutInterpreter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "launcher")
	if err := os.WriteFile(path, []byte("echo script $1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, status := runBridge(t, nil, "8000", path, "runs"); stdout != "script runs\n" || status != 0 {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
}

// Descriptor 3 does not reach the app, whatever it is.
func TestDescriptorThree(t *testing.T) {
	file, err := os.Open("main.go")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command(program, "8000", "sh", "-c", "[ -e /proc/$$/fd/3 ] && echo open || echo closed")
	cmd.ExtraFiles = []*os.File{file}
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "closed\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// A server that runs the bridge in the grain would let its visitors wait for
// ever: the bridge says so and ends.
func TestServerWantsBridge(t *testing.T) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(pair[0])
	socket := os.NewFile(uintptr(pair[1]), "rpc")
	defer socket.Close()
	cmd := exec.Command(program, "8000", "/bin/echo", "started")
	cmd.ExtraFiles = []*os.File{socket}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Cap'n Proto") || strings.Contains(string(out), "started") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestSignalsArePassedOn(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGINT} {
		cmd := exec.Command(program, "8000", "sh", "-c", fmt.Sprintf(`trap 'echo got; exit 7' %d; echo ready; while :; do sleep 0.01; done`, s))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(out)
		cmd.Wait()
		if string(rest) != "got\n" || cmd.ProcessState.ExitCode() != 7 {
			t.Errorf("%v: %q, status %d", s, rest, cmd.ProcessState.ExitCode())
		}
	}
}

// As process 1 of a grain the bridge collects orphans: they must not stay in the
// process table until the app ends.
func TestOrphansAreReaped(t *testing.T) {
	// Each inner shell ends at once and leaves its child to process 1. The test
	// ends when none is left, or fails by the limit on its time.
	const script = `
		for i in 1 2 3 4 5 6 7 8 9 10; do sh -c 'true & exec true'; done
		while grep -q '^State:.*zombie' /proc/[0-9]*/status 2>/dev/null; do :; done
		echo pid of the parent: $(sed -n 's/^PPid:\t//p' /proc/self/status)`
	cmd := exec.Command(program, "8000", "sh", "-c", "mount -t proc proc /proc && "+script)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	timer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "pid of the parent:") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWaitForApp(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if !listens(port) {
		t.Error("a listener is not found")
	}
	l.Close()
	if listens(port) {
		t.Error("a closed listener is found")
	}

	var mu sync.Mutex
	var said []string
	told := make(chan struct{}, 2)
	up := make(chan struct{})
	go waitForApp(func() bool {
		select {
		case <-up:
			return true
		default:
			return false
		}
	}, 20*time.Millisecond, func(s string) {
		mu.Lock()
		said = append(said, s)
		mu.Unlock()
		told <- struct{}{}
	})
	<-told
	close(up)
	<-told
	mu.Lock()
	defer mu.Unlock()
	if len(said) != 2 || !strings.Contains(said[0], "20ms") || !strings.Contains(said[1], "listens now") {
		t.Errorf("said %q", said)
	}
}

// The bridge lies in every package.
func TestSize(t *testing.T) {
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 1600<<10 {
		t.Errorf("%d bytes", info.Size())
	}
	if out, err := exec.Command("file", "-b", program).Output(); err == nil && !bytes.Contains(out, []byte("statically linked")) {
		t.Errorf("not static: %s", out)
	}
}
