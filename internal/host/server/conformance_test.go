package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// conformance is what every host.Client must do.
var conformance = []struct {
	name string
	test func(*testing.T, *rig)
}{
	{"packages", testPackages},
	{"lifecycle", testLifecycle},
	{"what the app sees", testSurroundings},
	{"storage lasts", testStorageLasts},
	{"exit reasons", testExitReasons},
	{"start failures are data", testStartFailures},
	{"many starts are one", testManyStarts},
	{"fencing", testFencing},
	{"dialling waits", testDialWaits},
	{"log is bounded", testLogLimit},
	{"log follows", testLogFollows},
	{"delete", testDelete},
	{"sizes", testSizes},
	{"not found", testNotFound},
	{"development of a copy", testDevCopy},
	{"development of a mount", testDevMount},
	{"files that nobody serves", testDevUnserved},
	{"files that are not served any more", testDevStuck},
	{"proc for development", testDevProc},
	{"bad apps under development", testDevBad},
	{"nothing leaks", testNoLeaks},
}

func TestInProcess(t *testing.T) {
	if os.Geteuid() != 0 {
		// An ordinary user's host process must own its namespaces, which this
		// process does not: TestSeparateProcess covers that tier.
		return
	}
	for _, c := range conformance {
		t.Run(c.name, func(t *testing.T) { c.test(t, newRig(t, false)) })
	}
}

func TestSeparateProcess(t *testing.T) {
	for _, c := range conformance {
		t.Run(c.name, func(t *testing.T) { c.test(t, newRig(t, true)) })
	}
}

func testPackages(t *testing.T, r *rig) {
	got, err := r.client.Package(t.Context(), r.pkg)
	must(t, err)
	if got.Package.ID != r.pkg || len(got.Package.Manifest.Actions) == 0 {
		t.Errorf("package is %+v", got.Package)
	}
	_, s := r.running()
	wantKind(t, r.client.RemovePackage(t.Context(), r.pkg), sandstorm.Conflict)
	must(t, r.client.StopGrain(t.Context(), host.Lease{Grain: s.Grain, Epoch: s.Epoch}))
	must(t, r.client.RemovePackage(t.Context(), r.pkg))
	_, err = r.client.Package(t.Context(), r.pkg)
	wantKind(t, err, sandstorm.NotFound)
	wantKind(t, r.client.RemovePackage(t.Context(), "../../etc"), sandstorm.Invalid)

	data, err := testPackage()
	must(t, err)
	var last int64
	opts := host.InstallOptions{Want: r.pkg, Progress: func(n int64) { last = n }}
	_, err = r.client.InstallPackage(t.Context(), bytes.NewReader(data), opts)
	must(t, err)
	if last > int64(len(data)) {
		t.Errorf("progress went to %d of %d", last, len(data))
	}
	opts = host.InstallOptions{Want: "00000000000000000000000000000000"}
	_, err = r.client.InstallPackage(t.Context(), bytes.NewReader(data), opts)
	wantKind(t, err, sandstorm.Invalid)
	_, err = r.client.InstallPackage(t.Context(), strings.NewReader("rubbish"), host.InstallOptions{})
	wantKind(t, err, sandstorm.Invalid)
	testInterruptedInstalls(t, r, data)
}

func testInterruptedInstalls(t *testing.T, r *rig, data []byte) {
	mine := sandstorm.Errorf(sandstorm.TooLarge, "upload.too-large", "too large")
	src := io.MultiReader(bytes.NewReader(data[:len(data)/2]), failingReader{mine})
	_, err := r.client.InstallPackage(t.Context(), src, host.InstallOptions{})
	if !errors.Is(err, mine) {
		t.Errorf("the source's own error became %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	pr, pw := io.Pipe()
	defer pw.Close()
	go func() {
		_, _ = pw.Write(data[:1000])
		cancel()
	}()
	_, err = r.client.InstallPackage(ctx, pr, host.InstallOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want Canceled", err)
	}
	eventually(t, "nothing in tmp", func() bool {
		list, err := os.ReadDir(filepath.Join(r.data, "tmp"))
		return err == nil && len(list) == 0
	})
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

func testLifecycle(t *testing.T, r *rig) {
	events := r.watch()
	lease := r.create(1)
	wantKind(t, r.client.CreateGrain(t.Context(), lease), sandstorm.Conflict)
	s := r.start(lease, actServe)
	if s.Grain != lease.Grain || s.Epoch != 1 || s.Package != r.pkg || s.PID <= 1 || s.Instance == "" {
		t.Errorf("status %+v", s)
	}
	if got := r.ask(s, "echo hello"); got != "echo hello" {
		t.Errorf("app says %q", got)
	}
	if again := r.start(lease, actServe); *again != *s {
		t.Errorf("started again: %+v, was %+v", again, s)
	}
	list, err := r.client.Grains(t.Context())
	if err != nil || len(list) != 1 || list[0] != *s {
		t.Errorf("grains %+v, %v", list, err)
	}
	must(t, r.client.StopGrain(t.Context(), lease))
	if !gone(s.PID) {
		t.Error("its first process is still there")
	}
	if exit := r.ended(events, s); exit != (host.Exit{Stopped: true}) {
		t.Errorf("exit %+v", exit)
	}
	must(t, r.client.StopGrain(t.Context(), lease)) // once more does nothing
	if list, err := r.client.Grains(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("grains %+v, %v", list, err)
	}
	next := r.start(lease, actServe)
	if next.Instance == s.Instance {
		t.Error("a later run has the same instance")
	}
	_, err = r.client.DialGrain(t.Context(), lease.Grain, s.Instance)
	wantKind(t, err, sandstorm.NotFound)
	info, err := r.client.Info(t.Context())
	if err != nil || info.PID == 0 || info.Kernel == "" || info.Tier == "" {
		t.Errorf("info %+v, %v", info, err)
	}
}

func testSurroundings(t *testing.T, r *rig) {
	_, s := r.running()
	got := r.ask(s, "ids")
	want := "PATH=/nope:/bin http_proxy=http://127.0.0.1:15239/ HTTP_PROXY=http://127.0.0.1:15239/ no_proxy=localhost,127.0.0.1"
	if !strings.HasPrefix(got, "1000 1000 ") || !strings.HasSuffix(got, want) {
		t.Errorf("app sees %q", got)
	}
	if got := r.ask(s, "list /var"); got != "0 <nil>" {
		t.Errorf("/var is %q", got)
	}
}

func testStorageLasts(t *testing.T, r *rig) {
	lease, s := r.running()
	if got := r.ask(s, "write 1000"); got != "<nil>" {
		t.Fatalf("app cannot write: %s", got)
	}
	must(t, r.client.StopGrain(t.Context(), lease))
	s = r.start(lease, actServe)
	if got := r.ask(s, "list /var"); got != "1 <nil>" {
		t.Errorf("after a restart /var is %q", got)
	}
	other, s2 := r.running()
	if got := r.ask(s2, "list /var"); got != "0 <nil>" {
		t.Errorf("another grain's /var is %q", got)
	}
	for _, id := range []sandstorm.GrainID{lease.Grain, other.Grain} {
		info, err := os.Stat(filepath.Join(r.data, "grains", string(id)))
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("mode of %s: %v, %v", id, info.Mode(), err)
		}
	}
}

func testExitReasons(t *testing.T, r *rig) {
	events := r.watch()
	for _, tt := range []struct {
		action int
		exit   host.Exit
		line   string
	}{
		{actExit, host.Exit{Code: 7}, "** SANDSTORM SUPERVISOR: App exited with status code: 7\n"},
		{actCrash, host.Exit{Signal: "SIGKILL"}, "** SANDSTORM SUPERVISOR: App exited due to signal 9 (Killed).\n"},
	} {
		lease := r.create(1)
		s := r.start(lease, tt.action)
		if exit := r.ended(events, s); exit != tt.exit {
			t.Errorf("action %d: exit %+v, want %+v", tt.action, exit, tt.exit)
		}
		if log := r.logText(lease.Grain); !strings.HasSuffix(log, tt.line) {
			t.Errorf("action %d: log is %q", tt.action, log)
		}
		// It can be started again at once.
		s = r.start(lease, actServe)
		if got := r.ask(s, "echo again"); got != "echo again" {
			t.Errorf("after a crash the app says %q", got)
		}
	}
}

func testStartFailures(t *testing.T, r *rig) {
	lease := r.create(1)
	for _, tt := range []struct {
		action int
		key    string
		errno  string
	}{
		{actMissing, "grain.start", "ENOENT"},
		{actNotInPath, "grain.program", "ENOENT"},
		{actRaw, "grain.raw-api", ""},
		{host.ActionContinue, "grain.no-continue", ""},
		{77, "grain.no-action", ""},
	} {
		_, err := r.client.StartGrain(t.Context(), host.StartRequest{Lease: lease, Package: r.pkg, Action: tt.action})
		var known *sandstorm.Error
		var data *host.StartError
		if !errors.As(err, &known) || !errors.As(err, &data) || known.Key != tt.key || data.Step == "" || data.Errno != tt.errno {
			t.Errorf("action %d: %v, %#v, %#v", tt.action, err, known, data)
		}
	}
	_, err := r.client.StartGrain(t.Context(), host.StartRequest{Lease: lease, Package: "00000000000000000000000000000000"})
	wantKind(t, err, sandstorm.NotFound)
	s := r.start(lease, actServe) // and it can still be started
	if got := r.ask(s, "echo ok"); got != "echo ok" {
		t.Errorf("app says %q", got)
	}
}

func testManyStarts(t *testing.T, r *rig) {
	lease := r.create(1)
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for i := range 50 {
		wg.Go(func() {
			ctx := t.Context()
			if i%10 == 0 {
				// A caller who goes away must not take the start with him.
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Duration(i)*time.Microsecond)
				defer cancel()
			}
			s, err := r.client.StartGrain(ctx, host.StartRequest{Lease: lease, Package: r.pkg})
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				return
			}
			mu.Lock()
			seen[fmt.Sprint(s.Instance, s.PID)]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(seen) != 1 {
		t.Errorf("%d instances: %v", len(seen), seen)
	}
}

func testFencing(t *testing.T, r *rig) {
	lease, s := r.running()
	newer := host.Lease{Grain: lease.Grain, Epoch: 5}
	next := r.start(newer, actServe)
	if next.Instance == s.Instance || !gone(s.PID) || next.Epoch != 5 {
		t.Errorf("under a newer epoch it goes on as %+v", next)
	}
	older := host.Lease{Grain: lease.Grain, Epoch: 4}
	_, err := r.client.StartGrain(t.Context(), host.StartRequest{Lease: older, Package: r.pkg})
	wantKind(t, err, sandstorm.Fenced)
	wantKind(t, r.client.StopGrain(t.Context(), older), sandstorm.Fenced)
	wantKind(t, r.client.DeleteGrain(t.Context(), older), sandstorm.Fenced)
	if got := r.ask(next, "echo still here"); got != "echo still here" {
		t.Errorf("app says %q", got)
	}
	must(t, r.client.StopGrain(t.Context(), host.Lease{Grain: lease.Grain, Epoch: 9}))
	_, err = r.client.StartGrain(t.Context(), host.StartRequest{Lease: newer, Package: r.pkg})
	wantKind(t, err, sandstorm.Fenced)
}

func testDialWaits(t *testing.T, r *rig) {
	lease := r.create(1)
	s := r.start(lease, actSleep) // never listens
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := r.client.DialGrain(ctx, s.Grain, s.Instance)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v, want DeadlineExceeded", err)
	}
	// More callers than may try at the same time; all end with the grain.
	errs := make(chan error, 40)
	for range cap(errs) {
		go func() {
			_, err := r.client.DialGrain(context.Background(), s.Grain, s.Instance)
			errs <- err
		}()
	}
	must(t, r.client.StopGrain(t.Context(), lease))
	for range cap(errs) {
		wantKind(t, <-errs, sandstorm.NotFound)
	}
}

func testDelete(t *testing.T, r *rig) {
	lease, s := r.running()
	r.ask(s, "write 100000")
	must(t, r.client.DeleteGrain(t.Context(), lease))
	if !gone(s.PID) {
		t.Error("its first process is still there")
	}
	if _, err := os.Lstat(filepath.Join(r.data, "grains", string(lease.Grain))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory: %v", err)
	}
	wantKind(t, r.client.DeleteGrain(t.Context(), lease), sandstorm.NotFound)
	_, err := r.client.StartGrain(t.Context(), host.StartRequest{Lease: lease, Package: r.pkg})
	wantKind(t, err, sandstorm.NotFound)
	eventually(t, "nothing in tmp", func() bool {
		list, err := os.ReadDir(filepath.Join(r.data, "tmp"))
		return err == nil && len(list) == 0
	})
	must(t, r.client.CreateGrain(t.Context(), lease))
}

func testSizes(t *testing.T, r *rig) {
	_, s := r.running()
	before, err := r.client.GrainSize(t.Context(), s.Grain)
	must(t, err)
	r.ask(s, "write 1000000")
	after, err := r.client.GrainSize(t.Context(), s.Grain)
	must(t, err)
	if grown := after - before; grown < 1_000_000 || grown > 1_100_000 {
		t.Errorf("size went from %d to %d", before, after)
	}
}

func testNotFound(t *testing.T, r *rig) {
	nobody := host.Lease{Grain: sandstorm.NewGrainID(), Epoch: 1}
	_, err := r.client.StartGrain(t.Context(), host.StartRequest{Lease: nobody, Package: r.pkg})
	wantKind(t, err, sandstorm.NotFound)
	wantKind(t, r.client.StopGrain(t.Context(), nobody), sandstorm.NotFound)
	wantKind(t, r.client.DeleteGrain(t.Context(), nobody), sandstorm.NotFound)
	_, err = r.client.GrainSize(t.Context(), nobody.Grain)
	wantKind(t, err, sandstorm.NotFound)
	_, err = r.client.GrainLog(t.Context(), nobody.Grain, 10, true)
	wantKind(t, err, sandstorm.NotFound)
	_, err = r.client.DialGrain(t.Context(), nobody.Grain, "x")
	wantKind(t, err, sandstorm.NotFound)
	for _, id := range []sandstorm.GrainID{"", "..", "../../etc", "a/b", "short", "with space x"} {
		bad := host.Lease{Grain: id, Epoch: 1}
		wantKind(t, r.client.CreateGrain(t.Context(), bad), sandstorm.Invalid)
		wantKind(t, r.client.DeleteGrain(t.Context(), bad), sandstorm.Invalid)
		_, err := r.client.GrainSize(t.Context(), id)
		wantKind(t, err, sandstorm.Invalid)
	}
}
