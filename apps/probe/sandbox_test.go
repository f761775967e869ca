package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
)

func TestMain(m *testing.M) { os.Exit(graintest.Main(m)) }

// What every app can rely on: sandbox.md §2, seen from inside.
func TestInTheSandbox(t *testing.T) {
	g := graintest.Start(t, "probe")
	s := g.As("Ann", "view", "edit")
	_, body := graintest.Do(t, s, http.MethodGet, "/env", "")
	var env struct {
		Environ              []string
		Cwd, Umask, Hostname string
		UID, GID, PPID       int
		NoNewPrivs           int
		Capabilities         struct{ Effective, Permitted uint32 }
		FDs                  []struct{ FD int }
		List                 map[string]any
		InterfacesError      string
	}
	if err := json.Unmarshal([]byte(body), &env); err != nil {
		t.Fatal(err)
	}
	if env.Cwd != "/" || env.Umask != "0007" || env.Hostname != "sandbox" || env.NoNewPrivs != 1 ||
		env.Capabilities.Effective != 0 || env.Capabilities.Permitted != 0 || env.InterfacesError != "" {
		t.Errorf("%+v", env)
	}
	if joined := strings.Join(env.Environ, " "); !strings.Contains(joined, "PROBE=1") || strings.Contains(joined, "HOME=") {
		t.Errorf("environment %s", joined)
	}
	for path, want := range map[string]string{
		"/write?file=/x":                 "read-only",
		"/dial?address=192.0.2.1:80":     "unreachable",
		"/syscall?nr=425":                "ENOSYS", // io_uring_setup
		"/syscall?nr=272&a=0x10000000":   "ENOSYS", // unshare
		"/stat?file=/proc/self":          "no such file",
		"/write?file=kept&bytes=1000":    "1000",
		"/listen?address=127.0.0.1:9000": "127.0.0.1:9000",
		"/echo":                          "X-Sandstorm-Username",
	} {
		if _, body := graintest.Do(t, s, http.MethodPost, path, ""); !strings.Contains(body, want) {
			t.Errorf("%s: %.300s, want %q", path, body, want)
		}
	}
}
