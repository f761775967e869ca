//go:build linux && amd64

package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"golang.org/x/sys/unix"
)

// helperEnv makes the test program another one: what helper does.
const helperEnv = "SANDBOX_TEST_HELPER"

// helper starts a grain, prints how to find it, and waits to be killed; or
// tells what became of the process.
func helper(what string) int {
	if NeedsUserNamespace() {
		fmt.Println(ReexecInUserNamespace())
		return 1
	}
	if what == "tell" {
		input, err := io.ReadAll(os.Stdin)
		uids, mapErr := os.ReadFile("/proc/self/uid_map")
		fmt.Printf("%d %s %q %v %s\n", os.Getpid(), strings.Join(strings.Fields(string(uids)), " "), input,
			errors.Join(err, mapErr), strings.Join(os.Args[1:], " "))
		return 5
	}
	l, err := New(Options{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	parts := strings.Split(what, "\n")
	c := Config{Root: parts[0], Var: parts[1], Argv: []string{"/probe", "serve", "8000"}}
	if l.Tier() == TierRoot {
		c.HostUID, c.HostGID = 12345, 12345
	}
	if c.Log, err = os.OpenFile(parts[2], os.O_RDWR, 0); err != nil {
		fmt.Println(err)
		return 1
	}
	c.Keep = []*os.File{c.Log}
	p, err := l.Start(context.Background(), c)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("started", p.PID(), p.StartTime())
	select {}
}

// Grains go on when the host process is killed, and the next one finds them.
func TestHostKilled(t *testing.T) {
	l := newLauncher(t)
	b := newBox(t, l)
	fifo := filepath.Join(t.TempDir(), "log")
	b.must(unix.Mkfifo(fifo, 0o600))
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperEnv+"="+strings.Join([]string{b.Root, b.Var, fifo}, "\n"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	b.must(err)
	b.must(cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	b.must(err)
	var pid int
	var start uint64
	if _, err := fmt.Sscanf(line, "started %d %d", &pid, &start); err != nil {
		_ = cmd.Process.Kill()
		t.Fatalf("%q: %v", line, err)
	}
	b.must(cmd.Process.Signal(syscall.SIGKILL))
	_ = cmd.Wait()

	for _, wrong := range []struct {
		pid   int
		start uint64
	}{{pid, start + 1}, {os.Getpid(), start}, {0, 0}, {-1, 0}, {1 << 30, 0}} {
		if _, err := l.Attach(wrong.pid, wrong.start); !sandstorm.IsKind(err, sandstorm.NotFound) {
			t.Errorf("attach %v: %v", wrong, err)
		}
	}
	self, err := startTime(os.Getpid())
	b.must(err)
	if _, err := l.Attach(os.Getpid(), self); !sandstorm.IsKind(err, sandstorm.NotFound) {
		t.Errorf("attached to no grain: %v", err)
	}
	p, err := l.Attach(pid, start)
	b.must(err)
	// The log was kept open by grain-init.
	log, err := os.OpenFile(fifo, os.O_RDONLY|unix.O_NONBLOCK, 0)
	b.must(err)
	defer log.Close()
	if text := make([]byte, 100); true {
		n, err := log.Read(text)
		if string(text[:n]) != "listening\n" {
			t.Errorf("log %q %v", text[:n], err)
		}
	}
	c, err := p.Dial(testContext(t), 8000)
	b.must(err)
	echo(t, c)
	b.must(c.Close())
	b.must(p.Kill())
	exit, err := p.Wait(testContext(t))
	b.must(err)
	if !exit.Stopped {
		t.Errorf("%+v", exit)
	}
	if _, err := l.Attach(pid, start); !sandstorm.IsKind(err, sandstorm.NotFound) {
		t.Errorf("attach to the dead: %v", err)
	}
}

// Entering a user namespace keeps the process: its id, its standard descriptors
// and its arguments.
func TestReexec(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", "one", "two words")
	cmd.Env = append(os.Environ(), helperEnv+"=tell")
	cmd.Stdin = strings.NewReader("input")
	uids := "0 0 1" // within the namespace of an ordinary user's run, already
	if CurrentTier() == TierRoot {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinaryID, Gid: ordinaryID}}
		uids = fmt.Sprintf("0 %d 1", ordinaryID)
	} else if text, err := os.ReadFile("/proc/self/uid_map"); err == nil {
		uids = strings.Join(strings.Fields(string(text)), " ")
	}
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() != 5 {
		t.Fatalf("%v: %s", err, out)
	}
	want := fmt.Sprintf("%d %s \"input\" <nil> one two words\n", cmd.Process.Pid, uids)
	if string(out) != want {
		t.Errorf("%q, want %q", out, want)
	}
}
