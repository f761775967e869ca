package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/sandstorm-go/sandstorm/test/harness"
)

// running is what `sandstorm status` says of a grain that runs.
type running struct {
	Grain, Instance string
	PID             int
}

type status struct {
	PID     int
	Warning string
	Host    *struct{ PID int }
	Running []running
}

// TestSurvival kills the processes of a server one after the other, under load.
func TestSurvival(t *testing.T) {
	harness.Tiers(t, func(t *testing.T, s *harness.Server) {
		app := s.Install("probe")
		var grains []*opened
		for range 3 {
			grains = append(grains, open(t, s, s.Grain(app)))
		}
		t.Run("serve", func(t *testing.T) { testKillServe(t, s, grains) })
		t.Run("host", func(t *testing.T) { testKillHost(t, s, grains) })
		t.Run("both", func(t *testing.T) { testKillBoth(t, s, grains) })
		t.Run("rest", func(t *testing.T) { testNothingLeft(t, s) })
	})
}

// opened is a grain in use: a session, and which start of the app it saw.
type opened struct {
	id, origin, run string
	client          *http.Client
}

func open(t *testing.T, s *harness.Server, id string) *opened {
	t.Helper()
	o := &opened{id: id}
	o.origin, o.client = s.Session(id)
	o.run = getEcho(t, o.client, newRequest(t, "GET", o.origin+"/echo", nil)).Run
	return o
}

// load keeps requests, streams and a WebSocket busy until it is stopped. What
// is cut off meanwhile is no failure; an answer from another run of the app is.
func load(t *testing.T, grains []*opened) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var busy sync.WaitGroup
	var served atomic.Int64
	get := func(o *opened, path string) {
		req, err := http.NewRequestWithContext(ctx, "GET", o.origin+path, nil)
		if err != nil {
			return
		}
		resp, err := o.client.Do(req)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 {
			return
		}
		served.Add(1)
		if strings.HasPrefix(path, "/echo") && !strings.Contains(string(body), o.run) {
			t.Errorf("grain %s was started again", o.id)
		}
	}
	for _, o := range grains {
		for _, path := range []string{"/echo", "/stream?n=100000&ms=20", "/size?n=300000&chunked=1"} {
			busy.Go(func() {
				for ctx.Err() == nil {
					get(o, path)
					pause(ctx)
				}
			})
		}
		busy.Go(func() {
			for ctx.Err() == nil {
				chat(ctx, o, &served)
				pause(ctx)
			}
		})
	}
	for deadline := time.Now().Add(20 * time.Second); served.Load() < 30; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			cancel()
			t.Fatal("no load came about")
		}
	}
	return func() { cancel(); busy.Wait() }
}

// pause keeps two cores for others.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Millisecond):
	}
}

// chat talks over a WebSocket until it breaks.
func chat(ctx context.Context, o *opened, served *atomic.Int64) {
	c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(o.origin, "http")+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: o.client.Transport, Jar: o.client.Jar},
	})
	if err != nil {
		return
	}
	defer c.CloseNow()
	for ctx.Err() == nil {
		if c.Write(ctx, websocket.MessageText, []byte("hello")) != nil {
			return
		}
		if _, _, err := c.Read(ctx); err != nil {
			return
		}
		served.Add(1)
		pause(ctx)
	}
}

// again checks that all grains go on as they were.
func again(t *testing.T, grains []*opened) {
	t.Helper()
	for _, o := range grains {
		o.client.CloseIdleConnections()
		if now := getEcho(t, o.client, newRequest(t, "GET", o.origin+"/echo", nil)); now.Run != o.run {
			t.Errorf("grain %s was started again", o.id)
		}
	}
}

func state(t *testing.T, s *harness.Server) (st status) {
	t.Helper()
	s.JSON(&st, "status")
	return st
}

// sameGrains checks that what runs is what ran: nothing twice, nothing lost.
func sameGrains(t *testing.T, before, after []running) {
	t.Helper()
	was := map[string]running{}
	for _, r := range before {
		was[r.Grain] = r
	}
	for _, r := range after {
		if was[r.Grain] != r {
			t.Errorf("%+v was %+v", r, was[r.Grain])
		}
		delete(was, r.Grain)
	}
	if len(was) > 0 {
		t.Errorf("not known any more: %v", was)
	}
}

// boxes counts the apps that really run on this server's data.
func boxes(t *testing.T, s *harness.Server) (n int) {
	t.Helper()
	for _, pid := range s.Processes() {
		if cmd, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && strings.HasPrefix(string(cmd), "/app\x00") {
			n++
		}
	}
	return n
}

func testKillServe(t *testing.T, s *harness.Server, grains []*opened) {
	before := state(t, s)
	for range 3 {
		stop := load(t, grains)
		s.Kill()
		s.Run()
		again(t, grains)
		stop()
	}
	after := state(t, s)
	if after.Host.PID != before.Host.PID || after.PID == before.PID {
		t.Errorf("processes before %+v, after %+v", before, after)
	}
	sameGrains(t, before.Running, after.Running)
	if n := boxes(t, s); n != len(grains) {
		t.Errorf("%d apps run", n)
	}
}

// awaitHost waits until the server has a host process again, other than old.
func awaitHost(t *testing.T, s *harness.Server, old int) (st status) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if st = state(t, s); st.Host != nil && st.Host.PID != old {
			return st
		}
	}
	return st
}

func killHost(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := harness.Gone(pid); err != nil {
		t.Fatal(err)
	}
}

func testKillHost(t *testing.T, s *harness.Server, grains []*opened) {
	before := state(t, s)
	stop := load(t, grains)
	killHost(t, before.Host.PID)
	if n := boxes(t, s); n != len(grains) {
		t.Errorf("%d apps survived their host process", n)
	}
	// A server that gave up root's rights cannot start another host; then what
	// runs it must. Here that is a new start of the server.
	after := state(t, s)
	if os.Getuid() == 0 && !s.User {
		if after.Host != nil || after.Warning == "" {
			t.Errorf("status without a host process: %+v", after)
		}
		s.Kill()
		s.Run()
	}
	after = awaitHost(t, s, before.Host.PID)
	if after.Host == nil || after.Host.PID == before.Host.PID {
		t.Fatalf("no new host process: %+v", after)
	}
	stop()
	again(t, grains)
	sameGrains(t, before.Running, state(t, s).Running)
	if n := boxes(t, s); n != len(grains) {
		t.Errorf("%d apps run", n)
	}
	// What was re-attached can be stopped, and started.
	o := grains[0]
	if _, errs, exit := s.Command("grain", "stop", o.id); exit != 0 {
		t.Fatal(errs)
	}
	if n := boxes(t, s); n != len(grains)-1 {
		t.Errorf("%d apps run after one was stopped", n)
	}
	now := getEcho(t, o.client, newRequest(t, "GET", o.origin+"/echo", nil))
	if now.Run == o.run {
		t.Error("the stopped grain goes on")
	}
	o.run = now.Run
}

func testKillBoth(t *testing.T, s *harness.Server, grains []*opened) {
	before := state(t, s)
	stop := load(t, grains)
	s.Kill()
	killHost(t, before.Host.PID)
	// One app dies while nobody watches.
	dead := before.Running[0]
	if err := syscall.Kill(dead.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := harness.Gone(dead.PID); err != nil {
		t.Fatal(err)
	}
	stop()
	s.Run()
	for _, o := range grains {
		o.client.CloseIdleConnections()
		now := getEcho(t, o.client, newRequest(t, "GET", o.origin+"/echo", nil))
		if (now.Run == o.run) == (o.id == dead.Grain) {
			t.Errorf("grain %s: run %s, was %s, died %v", o.id, now.Run, o.run, o.id == dead.Grain)
		}
		o.run = now.Run
	}
	if n := boxes(t, s); n != len(grains) {
		t.Errorf("%d apps run", n)
	}
}

// testNothingLeft ends the server in the middle of an upload.
func testNothingLeft(t *testing.T, s *harness.Server) {
	spk, err := os.ReadFile(harness.Package(t, "probe"))
	if err != nil {
		t.Fatal(err)
	}
	client := s.Client()
	resp, err := client.PostForm(s.BaseURL+"/login/dev", url.Values{"other": {"alice"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	body, feed := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		req, err := http.NewRequest("POST", s.BaseURL+"/upload", body)
		if err == nil {
			req.Header.Set("Accept", "application/json")
			var resp *http.Response
			if resp, err = client.Do(req); err == nil {
				resp.Body.Close()
			}
		}
		body.Close()
		sent <- err
	}()
	if _, err := feed.Write(spk[:len(spk)/2]); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	feed.Close()
	<-sent
	// What ends last may take a moment.
	var left []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if left = s.Leftovers(); len(left) == 0 {
			return
		}
	}
	t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
}
