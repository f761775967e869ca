//go:build linux && amd64

package sandbox

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/host"
	"golang.org/x/sys/unix"
)

func asStartError(err error) (*host.StartError, bool) {
	var e *host.StartError
	ok := errors.As(err, &e)
	return e, ok
}

type mountView struct {
	Flags, Type   int64
	Bytes, Inodes uint64
}

type view struct {
	IDs        [6]int
	Groups     []int
	Caps       [6]uint32
	Bounding   int
	NoNewPrivs int
	Dumpable   int
	Files      [2]uint64
	Env, Args  []string
	Cwd        string
	Host       string
	Domain     string
	Umask      int
	FDs        map[int]string
	Blocked    uint64
	PID, PPID  int
	Mounts     map[string]mountView
	Lists      map[string][]string
	Interfaces map[string][]string
	Network    map[string]string
	TTY        string
}

// TestView compares what an app sees with the table of sandbox.md §2.
func TestView(t *testing.T) {
	b := newBox(t, newLauncher(t), "look", "two words")
	b.Env = []string{"A=1", "EMPTY=", "ODD=a=b"}
	leak, err := os.Open("/")
	b.must(err)
	defer leak.Close()
	// Something that another part of the process forgot to mark.
	fd, err := unix.Dup(int(leak.Fd()))
	b.must(err)
	defer unix.Close(fd)
	b.Keep = []*os.File{leak}
	v := report[view](b)

	equal := func(name string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	equal("ids", v.IDs, [6]int{1000, 1000, 1000, 1000, 1000, 1000})
	equal("capabilities", v.Caps, [6]uint32{})
	equal("bounding set", v.Bounding, 0)
	equal("no_new_privs", v.NoNewPrivs, 1)
	equal("hard limit of files", v.Files[1], uint64(4096))
	equal("environment", v.Env, b.Env)
	equal("arguments", v.Args, b.Argv)
	equal("working directory", v.Cwd, "/")
	equal("host name", v.Host, "sandbox")
	equal("domain name", v.Domain, "sandbox")
	equal("umask", v.Umask, 0o007)
	equal("blocked signals", v.Blocked, uint64(0))
	equal("parent", v.PPID, 1)
	equal("terminal", v.TTY, "ENOENT")
	if b.l.Tier() == TierRoot {
		equal("groups", len(v.Groups), 0)
	}
	// The Go runtime of the probe opens an epoll and an event descriptor.
	for fd, kind := range v.FDs {
		if want := map[int]string{0: "char", 1: "fifo", 2: "fifo"}[fd]; kind != want && kind != "other" {
			t.Errorf("descriptor %d is a %s", fd, kind)
		}
	}
	equal("/", v.Lists["/"], []string{"dev", "etc", "probe", "proc", "tmp", "var"})
	equal("/dev", v.Lists["/dev"], []string{"null", "random", "shm", "urandom", "zero"})
	equal("/proc", v.Lists["/proc"], []string{"cpuinfo"})
	equal("/etc", v.Lists["/etc"], []string{"hosts"})
	checkMounts(t, v.Mounts)
	equal("interfaces", slices.Collect(maps.Keys(v.Interfaces)), []string{"lo"})
	if lo := strings.Join(v.Interfaces["lo"], " "); !strings.Contains(lo, "127.0.0.1/8") || !strings.Contains(lo, "up|loopback") {
		t.Errorf("lo is %s", lo)
	}
	equal("network", v.Network, map[string]string{
		"1.1.1.1": "ENETUNREACH", "10.0.0.1": "ENETUNREACH", "2000::1": "ENETUNREACH",
		"abstract": "ECONNREFUSED", "interfaces": "",
	})
}

func checkMounts(t *testing.T, mounts map[string]mountView) {
	t.Helper()
	const ro, nosuid, nodev, noexec, noatime = 1, 2, 4, 8, 1024
	const relevant = ro | nosuid | nodev | noexec
	const tmpfs, procfs = 0x01021994, 0x9fa0
	for path, want := range map[string]mountView{
		"/":             {Flags: ro | nosuid | nodev},
		"/var":          {Flags: nosuid | nodev},
		"/tmp":          {Flags: nosuid | nodev, Type: tmpfs, Bytes: 16 << 20, Inodes: 4096},
		"/dev":          {Flags: ro | nosuid | nodev | noexec, Type: tmpfs, Bytes: 1 << 20, Inodes: 16},
		"/dev/shm":      {Flags: nosuid | nodev, Type: tmpfs, Bytes: 16 << 20, Inodes: 4096},
		"/dev/null":     {Flags: ro | nosuid | noexec},
		"/dev/zero":     {Flags: ro | nosuid | noexec},
		"/dev/random":   {Flags: ro | nosuid | noexec},
		"/dev/urandom":  {Flags: ro | nosuid | noexec},
		"/proc/cpuinfo": {Flags: nosuid | nodev | noexec, Type: procfs},
	} {
		got, ok := mounts[path]
		if !ok || got.Flags&relevant != want.Flags {
			t.Errorf("%s: flags %#x, want %#x", path, got.Flags&relevant, want.Flags)
		}
		if want.Type != 0 && got.Type != want.Type {
			t.Errorf("%s: type %#x", path, got.Type)
		}
		if want.Bytes != 0 && (got.Bytes != want.Bytes || got.Inodes != want.Inodes) {
			t.Errorf("%s: %d bytes, %d inodes", path, got.Bytes, got.Inodes)
		}
	}
	if mounts["/dev"].Flags&noatime == 0 {
		t.Error("/dev has access times")
	}
}

// What a package does not have is not mounted.
func TestBarePackage(t *testing.T) {
	b := newBox(t, newLauncher(t), "look")
	for _, name := range []string{"dev", "tmp", "var", "proc/cpuinfo", "proc", "etc/hosts", "etc"} {
		b.must(os.Remove(filepath.Join(b.Root, name)))
	}
	v := report[view](b)
	if len(v.Lists["/"]) != 1 || v.Lists["/"][0] != "probe" {
		t.Errorf("/: %v", v.Lists["/"])
	}
	if len(v.Mounts) != 1 {
		t.Errorf("mounts: %v", v.Mounts)
	}
}

// A package must not choose where the platform's files appear.
func TestSymlinkAtMountPoint(t *testing.T) {
	l := newLauncher(t)
	for name, target := range map[string]string{
		"var": "/etc", "tmp": "../../..", "dev": "etc", "proc": "etc", "proc/cpuinfo": "/etc/passwd",
	} {
		b := newBox(t, l, "look")
		path := filepath.Join(b.Root, name)
		b.must(os.RemoveAll(path))
		b.must(os.Symlink(target, path))
		step := "mount /" + name
		if name == "proc" {
			step = "mount /proc/cpuinfo"
		}
		p, err := l.Start(testContext(t), b.Config)
		if err == nil {
			_ = p.Kill()
		}
		// O_DIRECTORY sees a link as no directory before it looks further.
		if !errnoIs(err, step, unix.ELOOP) && !errnoIs(err, step, unix.ENOTDIR) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := newBox(t, l, "look")
	b.must(os.Remove(filepath.Join(b.Root, "tmp")))
	b.must(os.WriteFile(filepath.Join(b.Root, "tmp"), nil, 0o644))
	if _, err := l.Start(testContext(t), b.Config); !errnoIs(err, "mount /tmp", unix.ENOTDIR) {
		t.Errorf("file at /tmp: %v", err)
	}
	b = newBox(t, l, "look")
	b.must(os.Remove(filepath.Join(b.Root, "proc/cpuinfo")))
	b.must(unix.Mkfifo(filepath.Join(b.Root, "proc/cpuinfo"), 0o644))
	if _, err := l.Start(testContext(t), b.Config); !errnoIs(err, "mount /proc/cpuinfo", unix.ENOTSUP) {
		t.Errorf("FIFO at cpuinfo: %v", err)
	}
}
