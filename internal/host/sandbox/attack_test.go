//go:build linux && amd64

package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAttack makes, inside a real grain, the calls that sandbox.md §4.3 found
// open in the original, and their kin.
func TestAttack(t *testing.T) {
	got := report[map[string]string](newBox(t, newLauncher(t), "attack"))
	want := map[string]string{
		"clone newuser": "EPERM", "clone newnet": "EPERM", "ptrace": "EPERM", "mount": "EPERM", "chroot": "EPERM",
		"setxattr": "EOPNOTSUPP", "prctl seccomp": "EINVAL", "TIOCSTI": "ENOTTY",
		"socket packet": "EAFNOSUPPORT", "socket vsock": "EAFNOSUPPORT", "socket alg": "EAFNOSUPPORT",
		"socket raw": "EACCES", "socket dccp": "EACCES",
		"socket netfilter": "EPROTONOSUPPORT", "socket generic netlink": "EPROTONOSUPPORT",
	}
	if len(got) < 59 {
		t.Errorf("only %d attacks", len(got))
	}
	for name, errno := range got {
		w, ok := want[name]
		if !ok {
			w = "ENOSYS"
		}
		// Two names of one number.
		if errno == "ENOTSUP" {
			errno = "EOPNOTSUPP"
		}
		if errno != w {
			t.Errorf("%s: %q, want %s", name, errno, w)
		}
	}
}

// TestTry does what is not for the filter but for mounts, ids and namespaces to
// refuse, or to allow.
func TestTry(t *testing.T) {
	got := report[map[string]string](newBox(t, newLauncher(t), "try"))
	want := map[string]string{
		"write /evil": "EROFS", "write /probe": "EROFS", "write /dev/evil": "EROFS", "write /dev/null": "",
		"write /var/new": "", "write /tmp/new": "", "write /dev/shm/new": "",
		"write /proc/cpuinfo": "EACCES", "write /proc/evil": "EROFS",
		"touch /dev/null": "EROFS", "touch now /dev/null": "EROFS",
		"run /var/tool": "", "run /tmp/tool": "", "run /dev/shm/tool": "",
		"mknod": "EPERM", "mkfifo": "",
		"read /proc/self/mem": "ENOENT", "read /sys": "ENOENT", "read /dev/..": "ENOENT",
		"kill 1": "", "term 1": "", "stop 1": "", "kill 3": "ESRCH",
		"setuid 0": "EINVAL", "setuid own": "", "setgid 0": "EINVAL", "chown": "EINVAL",
		"setrlimit": "EPERM", "low port": "EACCES", "chmod setuid": "",
	}
	for name := range maps.Keys(want) {
		if got[name] != want[name] {
			t.Errorf("%s: %q, want %q", name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d results, want %d", len(got), len(want))
	}
}

// A fork bomb ends at the grain's own limit, and does not keep another grain of
// the same user from starting and forking.
func TestForkBomb(t *testing.T) {
	type result struct {
		Children int
		Error    string
	}
	l := newLauncher(t)
	first := newBox(t, l, "bomb", "and stay")
	first.start()
	var got [2]result
	first.must(json.Unmarshal([]byte(first.readLine()), &got[0]))
	got[1] = report[result](newBox(t, l, "bomb"))
	for _, r := range got {
		if r.Error != "EAGAIN" || r.Children > maxTasks || r.Children < maxTasks-64 {
			t.Errorf("%+v", r)
		}
	}
}

// No core dump of an app reaches the machine's collector, and an app cannot
// change that.
func TestLimits(t *testing.T) {
	got := report[map[string]any](newBox(t, newLauncher(t), "limits"))
	want := map[string]any{
		"prlimit core": "", "setrlimit core": "", "prlimit core of init": "",
		"core": []any{1., 1.}, "more processes": "EPERM", "fewer files": "",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// When memory runs out, the kernel takes processes of grains first.
func TestGrainsDieFirst(t *testing.T) {
	b := newBox(t, newLauncher(t), "sleep")
	p := b.start()
	b.readLine()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.PID(), p.PID()))
	b.must(err)
	for _, pid := range append(strings.Fields(string(children)), strconv.Itoa(p.PID())) {
		text, err := os.ReadFile("/proc/" + pid + "/oom_score_adj")
		if err != nil || strings.TrimSpace(string(text)) != oomScore {
			t.Errorf("process %s: %q %v", pid, text, err)
		}
	}
	if len(strings.Fields(string(children))) != 1 {
		t.Errorf("children: %q", children)
	}
}

// A grain reaches neither the host's loopback nor another grain's.
func TestNoLoopbackOfOthers(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		// The user's own network namespace has its loopback down; another
		// grain's listener below is the test then.
		listener = nil
	} else {
		defer listener.Close()
	}
	l := newLauncher(t)
	other := newBox(t, l, "serve", "8000").start()
	c, err := other.Dial(testContext(t), 8000)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ports := []string{"8000"}
	if listener != nil {
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		ports = append(ports, port)
	}
	for _, port := range ports {
		b := newBox(t, l, "connect", port)
		if out, exit := b.output(); exit.Code != 1 {
			t.Errorf("port %s: %q %+v", port, out, exit)
		}
	}
}

// On machines whose mounts are shared (systemd's default), what is mounted in a
// box must not appear outside, over the package.
func TestSharedMountsStayClean(t *testing.T) {
	l := newLauncher(t)
	b := newBox(t, l, "serve", "8000")
	done := make(chan error)
	start := func() error {
		// In a mount namespace of its own, with the package on a shared mount.
		if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
			return err
		}
		if err := unix.Mount(b.Root, b.Root, "", unix.MS_BIND, ""); err != nil {
			return err
		}
		if err := unix.Mount("", b.Root, "", unix.MS_SHARED, ""); err != nil {
			return err
		}
		before, err := os.ReadFile("/proc/thread-self/mountinfo")
		if err != nil {
			return err
		}
		p, err := l.Start(testContext(t), b.Config)
		if err != nil {
			return err
		}
		defer func() {
			_ = p.Kill()
			<-p.Done()
		}()
		c, err := p.Dial(testContext(t), 8000)
		if err != nil {
			return err
		}
		defer c.Close()
		after, err := os.ReadFile("/proc/thread-self/mountinfo")
		if err == nil && string(before) != string(after) {
			t.Errorf("mounts before:\n%s\nafter:\n%s", before, after)
		}
		return err
	}
	th, err := newThread(func() error { return nil })
	b.must(err)
	go th.do(func() { done <- start() })
	b.must(<-done)
	th.stop()
}

// The files that grain-init keeps are closed to the app, and the API is open.
func TestAPI(t *testing.T) {
	b := newBox(t, newLauncher(t), "echo3")
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	b.must(err)
	b.API = os.NewFile(uintptr(fds[0]), "theirs")
	ours := os.NewFile(uintptr(fds[1]), "ours")
	defer ours.Close()
	p := b.start()
	b.must(b.API.Close())
	c, err := net.FileConn(ours)
	b.must(err)
	b.must(ours.Close())
	echo(t, c)
	b.must(c.Close())
	if exit, err := p.Wait(testContext(t)); err != nil || exit.Code != 0 {
		t.Errorf("%+v %v", exit, err)
	}
}

// A package directory holds nothing of the platform's after a start.
func TestPackageUntouched(t *testing.T) {
	b := newBox(t, newLauncher(t), "try")
	b.output()
	for _, dir := range []string{"dev", "tmp", "var"} {
		entries, err := os.ReadDir(filepath.Join(b.Root, dir))
		if err != nil || len(entries) != 0 {
			t.Errorf("%s: %v %v", dir, entries, err)
		}
	}
}
