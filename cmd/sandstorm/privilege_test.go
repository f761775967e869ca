package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/config"
)

// TestMain lets the tests run this program again, as a process that gives up
// its rights: the test process itself must keep them.
func TestMain(m *testing.M) {
	if dir := os.Getenv("BECOME_WITH_DATA"); dir != "" {
		os.Exit(becomeAndTry(dir, os.Getenv("BECOME_AS")))
	}
	os.Exit(m.Run())
}

// becomeAndTry reports what a server can still do, one line each.
func becomeAndTry(dir, as string) int {
	id := identity{uid: 65534, gid: 65534, confined: as == "confined"}
	if err := id.become(&config.Config{DataDir: dir}); err != nil {
		fmt.Println(err)
		return 1
	}
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "CapEff:") || strings.HasPrefix(line, "NoNewPrivs:") {
			fmt.Println(strings.Join(strings.Fields(line), " "))
		}
	}
	for _, path := range []string{"server/own", "apps/foreign", "outside"} {
		err := os.WriteFile(filepath.Join(dir, path), nil, 0o600)
		fmt.Println(path, errors.Is(err, fs.ErrPermission))
	}
	return 0
}

// It needs CGO_ENABLED=0, as the server itself does.
func TestServerGivesUpItsRights(t *testing.T) {
	if os.Geteuid() != 0 {
		// An ordinary user has none to give up; that it cannot gain any is all.
		out := try(t, "user")
		if !strings.Contains(out, "NoNewPrivs: 1") {
			t.Errorf("%s", out)
		}
		return
	}
	for _, as := range []string{"user", "confined"} {
		out := try(t, as)
		for _, want := range []string{
			"CapEff: 0000000000000000", "NoNewPrivs: 1",
			"server/own false", "apps/foreign true", "outside true",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", as, want, out)
			}
		}
	}
}

func try(t *testing.T, as string) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"server", "socket", "apps"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 && as == "user" {
		if err := os.Chown(filepath.Join(dir, "server"), 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "BECOME_WITH_DATA="+dir, "BECOME_AS="+as)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", as, err, out)
	}
	return string(out)
}
