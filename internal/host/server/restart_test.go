package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/server"
)

// restart kills the host process with SIGKILL and starts another one. The
// client stays: it has to find the new host by itself.
func (r *rig) restart() {
	r.t.Helper()
	r.killHost()
	r.spawn()
	eventually(r.t, "host answers", func() bool {
		_, err := r.client.Info(context.Background())
		return err == nil
	})
}

func TestGrainsOutliveTheHost(t *testing.T) {
	r := newRig(t, true)
	lease, s := r.running()
	conn, err := r.client.DialGrain(t.Context(), s.Grain, s.Instance)
	must(t, err)
	defer conn.Close()
	crashing := r.create(1)
	doomed := r.start(crashing, actServe)

	r.killHost()
	_, err = r.client.Grains(t.Context())
	wantKind(t, err, sandstorm.Unavailable)
	// A connection that was handed out goes on without the host.
	_, err = conn.Write([]byte("say while the host was away\n"))
	must(t, err)
	must(t, syscall.Kill(doomed.PID, syscall.SIGKILL))
	r.spawn()
	eventually(t, "host answers", func() bool {
		_, err := r.client.Info(t.Context())
		return err == nil
	})

	list, err := r.client.Grains(t.Context())
	if err != nil || len(list) != 1 || list[0] != *s {
		t.Fatalf("grains %+v, %v; want %+v", list, err, s)
	}
	if got := r.ask(s, "echo hello"); got != "echo hello" {
		t.Errorf("app says %q", got)
	}
	if again := r.start(lease, actServe); again.PID != s.PID {
		t.Errorf("it was started twice: %+v", again)
	}
	eventually(t, "the log of the time between", func() bool {
		return strings.Contains(r.logText(s.Grain), "while the host was away\n")
	})
	if _, err := os.Stat(filepath.Join(r.data, "grains", string(crashing.Grain), "run.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the dead grain's record: %v", err)
	}
	events := r.watch()
	r.ask(s, "exit 5")
	if exit := r.ended(events, s); exit != (host.Exit{Code: 5}) && exit != (host.Exit{Unknown: true}) {
		t.Errorf("exit %+v", exit)
	}
	next := r.start(lease, actServe)
	r.restart()
	must(t, r.client.StopGrain(t.Context(), lease))
	if !gone(next.PID) {
		t.Error("a grain of an earlier host was not stopped")
	}
}

// TestTornStart is a host that dies while a grain starts: the record names no
// process, but the lock is held.
func TestTornStart(t *testing.T) {
	r := newRig(t, true)
	lease, s := r.running()
	r.killHost()
	path := filepath.Join(r.data, "grains", string(lease.Grain), "run.json")
	data, err := os.ReadFile(path)
	must(t, err)
	var rec map[string]any
	must(t, json.Unmarshal(data, &rec))
	delete(rec, "pid")
	delete(rec, "startTime")
	data, err = json.Marshal(rec)
	must(t, err)
	must(t, os.WriteFile(path, data, 0o600))
	r.spawn()
	eventually(t, "host answers", func() bool {
		_, err := r.client.Info(t.Context())
		return err == nil
	})
	if list, err := r.client.Grains(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("grains %+v, %v", list, err)
	}
	eventually(t, "the orphan is gone", func() bool { return gone(s.PID) })
	next := r.start(lease, actServe)
	if got := r.ask(next, "echo ok"); got != "echo ok" {
		t.Errorf("app says %q", got)
	}
}

// TestStaleRecord is a machine that lost its power: the record names a process
// that is now somebody else's.
func TestStaleRecord(t *testing.T) {
	r := newRig(t, true)
	lease := r.create(1)
	r.killHost()
	path := filepath.Join(r.data, "grains", string(lease.Grain), "run.json")
	rec := []byte(`{"instance":"X","package":"` + string(r.pkg) + `","epoch":1,"port":8000,"pid":` + itoa(os.Getpid()) + `,"startTime":1}`)
	must(t, os.WriteFile(path, rec, 0o600))
	torn := r.createBeside("deleting.x")
	r.spawn()
	eventually(t, "host answers", func() bool {
		_, err := r.client.Info(t.Context())
		return err == nil
	})
	if list, err := r.client.Grains(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("grains %+v, %v", list, err)
	}
	eventually(t, "the deletion was resumed", func() bool {
		_, err := os.Stat(torn)
		return errors.Is(err, os.ErrNotExist)
	})
	r.start(lease, actServe)
}

// createBeside leaves a half deleted grain in tmp.
func (r *rig) createBeside(name string) string {
	r.t.Helper()
	path := filepath.Join(r.data, "tmp", name)
	must(r.t, os.MkdirAll(filepath.Join(path, "sandbox", "a", "b"), 0o700))
	must(r.t, os.WriteFile(filepath.Join(path, "sandbox", "a", "f"), nil, 0o600))
	return path
}

func TestOneHostPerDirectory(t *testing.T) {
	r := newRig(t, true)
	err := server.Run(t.Context(), server.Options{DataDir: r.data})
	wantKind(t, err, sandstorm.Conflict)
	if _, err := r.client.Info(t.Context()); err != nil {
		t.Errorf("the first host is disturbed: %v", err)
	}
}

func TestWatchEndsWithTheHost(t *testing.T) {
	r := newRig(t, true)
	events := r.watch()
	r.killHost()
	for range events {
	}
	r.spawn()
	r.connect()
}

func TestShutdown(t *testing.T) {
	for _, stop := range []bool{false, true} {
		r := newRig(t, true)
		_, s := r.running()
		must(t, r.client.Shutdown(t.Context(), stop))
		if err := r.cmd.Wait(); err != nil {
			t.Errorf("host ended with %v", err)
		}
		if gone(s.PID) != stop {
			t.Errorf("shutdown(%v): grain gone is %v", stop, gone(s.PID))
		}
		r.spawn()
		r.connect()
	}
}

func TestEnsureRunning(t *testing.T) {
	data := shortTempDir(t)
	t.Setenv(envHost, data)
	opts := host.Options{Executable: "/proc/self/exe", Args: []string{"x"}, DataDir: data}
	clients := make(chan host.Client, 4)
	for range cap(clients) {
		go func() {
			c, err := host.EnsureRunning(t.Context(), opts)
			if err != nil {
				t.Error(err)
			}
			clients <- c
		}()
	}
	pids := map[int]bool{}
	var last host.Client
	for range cap(clients) {
		if c := <-clients; c != nil {
			info, err := c.Info(t.Context())
			must(t, err)
			pids[info.PID] = true
			last = c
			defer c.Close()
		}
	}
	if len(pids) != 1 {
		t.Errorf("hosts %v run", pids)
	}
	for pid := range pids {
		if sid, err := sessionOf(pid); err != nil || sid == mySession() {
			t.Errorf("host is in our session: %d, %v", sid, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(data, "host.log"))
	if err != nil || !bytes.Contains(text, []byte("listens")) {
		t.Errorf("host.log: %q, %v", text, err)
	}
	// When the host dies, the next call starts another.
	for pid := range pids {
		must(t, syscall.Kill(pid, syscall.SIGKILL))
		eventually(t, "another host", func() bool {
			info, err := last.Info(t.Context())
			return err == nil && info.PID != pid
		})
	}
	// A child that was slow to start may become the host once the other is gone.
	eventually(t, "all hosts have ended", func() bool {
		if c, err := host.Dial(t.Context(), host.SocketPath(data)); err == nil {
			_ = c.Shutdown(t.Context(), true)
			c.Close()
		}
		return len(children(t)) == 0
	})
}

// children lists the processes that this one started and that still run.
func children(t *testing.T) (pids []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	must(t, err)
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[0] != "Z" && f[1] == itoa(os.Getpid()) {
			pids = append(pids, path)
		}
	}
	return pids
}

func TestEnsureRunningTellsWhy(t *testing.T) {
	data := shortTempDir(t)
	opts := host.Options{Executable: "/bin/sh", Args: []string{"-c", "echo no such luck >&2; exit 1"}, DataDir: data}
	_, err := host.EnsureRunning(t.Context(), opts)
	wantKind(t, err, sandstorm.Unavailable)
	if err == nil || !strings.Contains(err.Error(), "no such luck") {
		t.Errorf("err = %v", err)
	}
}
