package server_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/server"
)

// What the environment tells a test binary that was started again.
const (
	envHost = "HOST_TEST_DATA" // be the host process of this directory
	envSPK  = "HOST_TEST_SPK"  // the test package, ready made

	envServerUID = "HOST_TEST_SERVER_UID" // who else may connect to the host
)

func TestMain(m *testing.M) {
	if data := os.Getenv(envHost); data != "" {
		os.Exit(beHost(data))
	}
	if uid := os.Getenv(envWithFUSE); uid != "" {
		becomeUserWithFUSE(uid)
	}
	if path := os.Getenv(envKnock); path != "" {
		os.Exit(knock(path))
	}
	os.Exit(m.Run())
}

// beHost is a host process, as `sandstorm host` is.
func beHost(data string) int {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	err := server.Enter(data)
	if err == nil {
		uid, _ := strconv.Atoi(os.Getenv(envServerUID))
		err = server.Run(context.Background(), server.Options{
			DataDir: data, Log: log, FirstUID: 2_000_000, UIDs: 1000, ServerUID: uid, ServerGID: uid,
			DevTimeout: devTimeout,
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// rig is a host process under test and a client of it.
type rig struct {
	t      testing.TB
	data   string
	client host.Client
	pkg    sandstorm.PackageID
	log    *logBuffer
	// exactly one of these
	stop func()    // of a host in this process
	cmd  *exec.Cmd // a host of its own
}

// logBuffer collects the log of a host, to be shown if the test fails.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// newRig starts a host, in this process or its own, and installs the package.
func newRig(t testing.TB, separate bool) *rig {
	t.Helper()
	r := &rig{t: t, data: shortTempDir(t), log: &logBuffer{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the host:\n%s", r.log)
		}
	})
	if separate {
		r.spawn()
		t.Cleanup(r.killHost)
	} else {
		r.serve()
		t.Cleanup(func() { r.stop() })
	}
	r.connect()
	t.Cleanup(r.clean)
	data, err := testPackage()
	must(t, err)
	installed, err := r.client.InstallPackage(t.Context(), bytes.NewReader(data), host.InstallOptions{})
	must(t, err)
	r.pkg = installed.Package.ID
	return r
}

// shortTempDir has a path short enough for a socket.
func shortTempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "h")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (r *rig) serve() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() {
		ended <- server.Run(ctx, server.Options{
			DataDir: r.data, Log: log, FirstUID: 2_000_000, UIDs: 1000, DevTimeout: devTimeout,
			Ready: func() { close(ready) },
		})
	}()
	select {
	case <-ready:
	case err := <-ended:
		cancel()
		r.t.Fatalf("host did not start: %v", err)
	}
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("host ended with %v", err)
		}
	}
}

// spawn starts a host process of its own.
func (r *rig) spawn() {
	r.t.Helper()
	r.cmd = exec.Command("/proc/self/exe")
	r.cmd.Env = append(os.Environ(), envHost+"="+r.data)
	r.cmd.Stderr = r.log
	must(r.t, r.cmd.Start())
}

// killHost is kill -9.
func (r *rig) killHost() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

func (r *rig) connect() {
	r.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		c, err := host.Dial(context.Background(), host.SocketPath(r.data))
		if err == nil {
			r.client = c
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("host does not answer: %v\n%s", err, r.log)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// clean ends what the test left running.
func (r *rig) clean() {
	grains, err := r.client.Grains(context.Background())
	if err != nil {
		r.t.Errorf("list grains: %v", err)
	}
	for _, g := range grains {
		err := r.client.StopGrain(context.Background(), host.Lease{Grain: g.Grain, Epoch: g.Epoch})
		if err != nil {
			r.t.Errorf("stop %s: %v", g.Grain, err)
		}
	}
	r.client.Close()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t testing.TB, err error, kind sandstorm.Kind) {
	t.Helper()
	if !sandstorm.IsKind(err, kind) {
		t.Errorf("err = %v (%v), want kind %v", err, sandstorm.KindOf(err), kind)
	}
}

// create makes a grain.
func (r *rig) create(epoch int64) host.Lease {
	r.t.Helper()
	lease := host.Lease{Grain: sandstorm.NewGrainID(), Epoch: epoch}
	must(r.t, r.client.CreateGrain(r.t.Context(), lease))
	return lease
}

func (r *rig) start(lease host.Lease, action int) *host.GrainStatus {
	r.t.Helper()
	s, err := r.client.StartGrain(r.t.Context(), host.StartRequest{Lease: lease, Package: r.pkg, Action: action})
	must(r.t, err)
	return s
}

// running makes a grain that serves.
func (r *rig) running() (host.Lease, *host.GrainStatus) {
	r.t.Helper()
	lease := r.create(1)
	return lease, r.start(lease, actServe)
}

// ask says a line to the app and returns what it answers.
func (r *rig) ask(s *host.GrainStatus, line string) string {
	r.t.Helper()
	conn, err := r.client.DialGrain(r.t.Context(), s.Grain, s.Instance)
	must(r.t, err)
	defer conn.Close()
	_, err = fmt.Fprintln(conn, line)
	must(r.t, err)
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil && err != io.EOF && !strings.Contains(err.Error(), "reset") {
		r.t.Fatal(err)
	}
	return strings.TrimSpace(answer)
}

// logText is the whole log of a grain now.
func (r *rig) logText(id sandstorm.GrainID) string {
	r.t.Helper()
	l, err := r.client.GrainLog(r.t.Context(), id, 4<<20, false)
	must(r.t, err)
	defer l.Close()
	text, err := io.ReadAll(l)
	must(r.t, err)
	return string(text)
}

// watch returns the events from now on.
func (r *rig) watch() <-chan host.Event {
	r.t.Helper()
	events, err := r.client.Watch(r.t.Context())
	must(r.t, err)
	return events
}

// ended waits for the event of a run's end.
func (r *rig) ended(events <-chan host.Event, s *host.GrainStatus) host.Exit {
	r.t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case e, ok := <-events:
			if !ok {
				r.t.Fatal("events ended")
			}
			if e.Grain == s.Grain && e.Instance == s.Instance {
				return e.Exit
			}
		case <-timeout:
			r.t.Fatal("no event of the grain's end")
		}
	}
}

// gone reports whether a process has ended. One whose parent was killed may
// stay as a zombie for as long as the machine's init likes.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || bytes.Contains(stat, []byte(") Z "))
}

// eventually waits for something that happens behind the client's back.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
