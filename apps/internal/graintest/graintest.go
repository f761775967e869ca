// Package graintest runs an example app as a grain of its own package, in the
// real sandbox behind the real bridge, for the tests of the apps.
package graintest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/server"
)

const envData = "GRAINTEST_DATA"

// Main is for TestMain: the test binary, started again, becomes the host
// process.
func Main(m *testing.M) int {
	data := os.Getenv(envData)
	if data == "" {
		return m.Run()
	}
	err := server.Enter(data)
	if err == nil {
		go endWithParent(data)
		log := slog.New(slog.NewTextHandler(os.Stderr, nil))
		err = server.Run(context.Background(), server.Options{DataDir: data, Log: log})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// endWithParent stops host and grains when the test is gone, however it ended:
// then nobody holds the other end of standard input.
func endWithParent(data string) {
	_, _ = io.Copy(io.Discard, os.Stdin)
	client, err := host.Dial(context.Background(), host.SocketPath(data))
	if err == nil {
		err = client.Shutdown(context.Background(), true)
	}
	if err != nil {
		os.Exit(1)
	}
}

// Grain is a grain that runs.
type Grain struct {
	t      testing.TB
	client host.Client
	pkg    host.Installed
	lease  host.Lease
	status *host.GrainStatus
	app    *bridge.App
}

// Start builds the app of that name, installs it and starts a fresh grain.
func Start(t testing.TB, app string) *Grain {
	t.Helper()
	data, err := os.MkdirTemp("", "g") // short: sockets lie in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(data) })
	g := &Grain{t: t, lease: host.Lease{Grain: sandstorm.NewGrainID(), Epoch: 1}}
	g.startHost(data)
	file, err := os.Open(Build(t, app))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	installed, err := g.client.InstallPackage(t.Context(), file, host.InstallOptions{})
	if err != nil {
		t.Fatalf("install %s: %v", app, err)
	}
	g.pkg = *installed
	if err := g.client.CreateGrain(t.Context(), g.lease); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the grain:\n%s", g.Log())
		}
		g.Stop()
	})
	g.start(0)
	return g
}

// Build builds the app's package, if it is not up to date, and returns the file.
func Build(t testing.TB, app string) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	repo := filepath.Join(filepath.Dir(here), "..", "..", "..")
	cmd := exec.Command("go", "run", "./apps/build", "--out", "build/apps", app)
	cmd.Dir = repo
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", app, err, out)
	}
	return filepath.Join(repo, "build", "apps", app+".spk")
}

// startHost starts a host process of its own, as the server does.
func (g *Grain) startHost(data string) {
	g.t.Helper()
	var log bytes.Buffer
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), envData+"="+data)
	cmd.Stderr = &log
	alive, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		g.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	g.t.Cleanup(func() {
		alive.Close()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			g.t.Error("the host did not end")
		}
		if g.t.Failed() {
			g.t.Logf("log of the host:\n%s", &log)
		}
	})
	for {
		var err error
		if g.client, err = host.Dial(g.t.Context(), host.SocketPath(data)); err == nil {
			g.t.Cleanup(func() { g.client.Close() })
			return
		}
		select {
		case err := <-ended:
			ended <- err
			g.t.Fatalf("the host did not start: %v\n%s", err, &log)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (g *Grain) start(action int) {
	g.t.Helper()
	status, err := g.client.StartGrain(g.t.Context(), host.StartRequest{Lease: g.lease, Package: g.pkg.Package.ID, Action: action})
	if err != nil {
		var start *host.StartError
		errors.As(err, &start)
		g.t.Fatalf("start: %v %+v", err, start)
	}
	g.status = status
	g.app = bridge.NewApp(bridge.AppOptions{
		APIPath: g.pkg.Package.Bridge.APIPath,
		Dial: func(ctx context.Context) (net.Conn, error) {
			return g.client.DialGrain(ctx, status.Grain, status.Instance)
		},
	})
}

// Stop kills the grain, as the platform always does: without a warning.
func (g *Grain) Stop() {
	g.t.Helper()
	g.app.Close()
	if err := g.client.StopGrain(context.Background(), g.lease); err != nil {
		g.t.Errorf("stop: %v", err)
	}
}

// Restart kills the grain and starts it again as all later starts do.
func (g *Grain) Restart() {
	g.t.Helper()
	g.Stop()
	g.start(host.ActionContinue)
}

// Log is what the app has logged.
func (g *Grain) Log() string {
	log, err := g.client.GrainLog(context.Background(), g.lease.Grain, 1<<20, false)
	if err != nil {
		return err.Error()
	}
	defer log.Close()
	b, _ := io.ReadAll(log)
	return string(b)
}

// As serves the grain on a loopback address as a session of somebody with that
// name and these permissions sees it.
func (g *Grain) As(name string, permissions ...string) *httptest.Server {
	g.t.Helper()
	s := httptest.NewUnstartedServer(nil)
	id := sha256.Sum256([]byte(name))
	session := &bridge.Session{
		UserID: hex.EncodeToString(id[:16]), Username: name, TabID: strings.Repeat("1b", 16), ID: "0",
		Permissions: permissions, BasePath: "http://" + s.Listener.Addr().String(),
	}
	return g.serve(s, session)
}

// API serves the grain as programs with an API token see it.
func (g *Grain) API(permissions ...string) *httptest.Server {
	g.t.Helper()
	return g.serve(httptest.NewUnstartedServer(nil), &bridge.Session{TabID: strings.Repeat("2c", 16), ID: "1", Permissions: permissions})
}

func (g *Grain) serve(s *httptest.Server, session *bridge.Session) *httptest.Server {
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req bridge.Request
		bridge.FromHTTP(&req, w, r)
		if err := g.app.Serve(r.Context(), &req, session, bridge.NewHTTPSink(w, r)); err != nil {
			var failure *bridge.Failure
			if errors.As(err, &failure) {
				http.Error(w, err.Error(), failure.Status)
				return
			}
			panic(http.ErrAbortHandler)
		}
	})
	s.Start()
	g.t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// Do sends a request and returns status and body. Header lines are
// "Name: value".
func Do(t testing.TB, s *httptest.Server, method, path, body string, header ...string) (int, string) {
	t.Helper()
	code, b, _ := DoHeader(t, s, method, path, body, header...)
	return code, b
}

// DoHeader is Do for those who want to see the answer's headers as well.
func DoHeader(t testing.TB, s *httptest.Server, method, path, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, string(b), resp.Header
}
