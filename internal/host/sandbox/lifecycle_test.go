//go:build linux && amd64

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"golang.org/x/sys/unix"
)

func TestExit(t *testing.T) {
	l := newLauncher(t)
	for _, test := range []struct {
		args []string
		want host.Exit
	}{
		{[]string{"exit", "0"}, host.Exit{}},
		{[]string{"exit", "3"}, host.Exit{Code: 3}},
		{[]string{"exit", "139"}, host.Exit{Code: 139}},
		{[]string{"signal", "15"}, host.Exit{Signal: "SIGTERM"}},
		{[]string{"signal", "9"}, host.Exit{Signal: "SIGKILL"}},
	} {
		_, exit := newBox(t, l, test.args...).output()
		if exit != test.want {
			t.Errorf("%v: %+v", test.args, exit)
		}
	}
}

// The app's children die with it, also when nobody waits for them.
func TestOrphansDie(t *testing.T) {
	b := newBox(t, newLauncher(t), "orphan")
	// The end of the log is the end of the last process that could write to it:
	// the orphan sleeps for an hour.
	out, exit := b.output()
	if out != "sleeping\n" || exit != (host.Exit{Code: 9}) {
		t.Errorf("%q %+v", out, exit)
	}
}

func TestKill(t *testing.T) {
	b := newBox(t, newLauncher(t), "sleep")
	p := b.start()
	b.readLine()
	b.must(p.Kill())
	exit, err := p.Wait(testContext(t))
	b.must(err)
	if !exit.Stopped {
		t.Errorf("%+v", exit)
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", p.PID())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("process is still there: %v", err)
	}
	b.must(p.Kill())
}

func TestWaitEndsWithContext(t *testing.T) {
	b := newBox(t, newLauncher(t), "sleep")
	p := b.start()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestStartErrors(t *testing.T) {
	l := newLauncher(t)
	long := strings.Repeat("x", 200<<10)
	for name, test := range map[string]struct {
		change func(*box)
		step   string
		errno  unix.Errno
		kind   sandstorm.Kind
	}{
		"no such program": {func(b *box) { b.Argv[0] = "/none" }, stepExecute, unix.ENOENT, sandstorm.Invalid},
		"not executable":  {func(b *box) { b.Argv[0] = "/etc/hosts" }, stepExecute, unix.EACCES, sandstorm.Invalid},
		"no search":       {func(b *box) { b.Argv[0] = "sh"; b.Env = []string{"PATH=/"} }, stepExecute, unix.ENOENT, sandstorm.Invalid},
		"wrong format": {func(b *box) {
			b.must(os.WriteFile(filepath.Join(b.Root, "text"), []byte("echo hello\n"), 0o755))
			b.Argv[0] = "/text"
		}, stepExecute, unix.ENOEXEC, sandstorm.Invalid},
		"interpreter missing": {func(b *box) {
			b.must(os.WriteFile(filepath.Join(b.Root, "script"), []byte("#!/bin/none\n"), 0o755))
			b.Argv[0] = "/script"
		}, stepExecute, unix.ENOENT, sandstorm.Invalid},
		"being written": {func(b *box) {
			f, err := os.OpenFile(filepath.Join(b.Root, "probe"), os.O_WRONLY, 0)
			b.must(err)
			b.t.Cleanup(func() { f.Close() })
		}, stepExecute, unix.ETXTBSY, sandstorm.Unavailable},
		"argument too long": {func(b *box) { b.Argv = append(b.Argv, long) }, stepExecute, unix.E2BIG, sandstorm.Invalid},
		"command too long": {func(b *box) {
			for range 10 {
				b.Env = append(b.Env, long)
			}
		}, "read the command", unix.E2BIG, sandstorm.Unavailable},
		"empty command":   {func(b *box) { b.Argv = nil }, "read the command", unix.EINVAL, sandstorm.Unavailable},
		"zero byte":       {func(b *box) { b.Env = []string{"A=\x00B"} }, "read the command", unix.EINVAL, sandstorm.Unavailable},
		"no package":      {func(b *box) { b.Root += "/none" }, "open the package", unix.ENOENT, sandstorm.Unavailable},
		"no storage":      {func(b *box) { b.Var += "/none" }, "open the grain's storage", unix.ENOENT, sandstorm.Unavailable},
		"storage is file": {func(b *box) { b.Var = filepath.Join(b.Root, "probe") }, "open the grain's storage", unix.ENOTDIR, sandstorm.Unavailable},
		"wrong ids":       {func(b *box) { b.HostUID ^= 12345; b.HostGID ^= 12345 }, "choose a user id", 0, sandstorm.Unavailable},
	} {
		b := newBox(t, l, "look")
		test.change(b)
		p, err := l.Start(testContext(t), b.Config)
		if err == nil {
			_ = p.Kill()
			t.Errorf("%s: started", name)
			continue
		}
		e, ok := asStartError(err)
		if !ok || e.Step != test.step || test.errno != 0 && e.Errno != unix.ErrnoName(test.errno) {
			t.Errorf("%s: %v", name, err)
		}
		if !sandstorm.IsKind(err, test.kind) {
			t.Errorf("%s: kind %v", name, sandstorm.KindOf(err))
		}
		if test.step == stepExecute && e.Hint == "" {
			t.Errorf("%s: no hint", name)
		}
	}
}

// A start that is given up leaves nothing.
func TestStartCancelled(t *testing.T) {
	l := newLauncher(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBox(t, l, "sleep")
	p, err := l.Start(ctx, b.Config)
	if err == nil {
		_ = p.Kill()
		t.Fatal("started")
	}
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	b.must(b.Log.Close())
	// The end of the log is the end of all its writers.
	if out, err := io.ReadAll(b.log); err != nil {
		t.Errorf("%q %v", out, err)
	}
}

// descriptors counts those of this process, without the pool of network
// namespaces, which fills in the background.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		link, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if !strings.HasPrefix(link, "net:") {
			n++
		}
	}
	return n
}

func TestNoDescriptorsLeak(t *testing.T) {
	l := newLauncher(t)
	good, bad := newBox(t, l, "exit", "0"), newBox(t, l, "exit", "0")
	bad.Argv[0] = "/none"
	cycle := func() {
		p, err := l.Start(testContext(t), good.Config)
		good.must(err)
		_, _ = p.Dial(testContext(t), 8000)
		<-p.Done()
		if _, err := l.Start(testContext(t), bad.Config); err == nil {
			t.Fatal("started")
		}
	}
	cycle()
	before := descriptors(t)
	for range 20 {
		cycle()
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// Many starts at once, on one launcher.
func TestConcurrentStarts(t *testing.T) {
	l := newLauncher(t)
	const n = 8
	errs := make(chan error, n)
	for range n {
		b := newBox(t, l, "serve", "8000")
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			p, err := l.Start(ctx, b.Config)
			if err == nil {
				var c io.Closer
				if c, err = p.Dial(ctx, 8000); err == nil {
					err = c.Close()
				}
				_ = p.Kill()
				<-p.Done()
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
