package server_test

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
)

// logOnDisk is the size of both parts of a grain's log.
func (r *rig) logOnDisk(id sandstorm.GrainID) (total int64) {
	r.t.Helper()
	for _, name := range []string{"log", "log.1"} {
		info, err := os.Stat(filepath.Join(r.data, "grains", string(id), name))
		if err != nil {
			continue
		}
		if info.Mode().Perm() != 0o600 {
			r.t.Errorf("mode of %s is %v", name, info.Mode())
		}
		total += info.Size()
	}
	return total
}

func testLogLimit(t *testing.T, r *rig) {
	lease, s := r.running()
	// A reader who never reads must not hold up the app.
	idle, err := r.client.GrainLog(t.Context(), lease.Grain, 1<<20, true)
	must(t, err)
	defer idle.Close()
	if got := r.ask(s, "log 4000000"); got != "logged" {
		t.Fatalf("app says %q", got)
	}
	r.ask(s, "say the end")
	eventually(t, "the last line in the log", func() bool {
		return strings.HasSuffix(r.logText(lease.Grain), "the end\n")
	})
	if size := r.logOnDisk(lease.Grain); size > 1<<20 || size < 512<<10 {
		t.Errorf("log has %d bytes on disk", size)
	}
}

func testLogFollows(t *testing.T, r *rig) {
	lease, s := r.running()
	r.ask(s, "say one")
	eventually(t, "one in the log", func() bool { return strings.HasSuffix(r.logText(lease.Grain), "one\n") })
	l, err := r.client.GrainLog(t.Context(), lease.Grain, 4, true)
	must(t, err)
	defer l.Close()
	lines := bufio.NewReader(l)
	next := func() string {
		line, err := lines.ReadString('\n')
		must(t, err)
		return line
	}
	if got := next(); got != "one\n" {
		t.Errorf("backlog is %q", got)
	}
	r.ask(s, "say two")
	if got := next(); got != "two\n" {
		t.Errorf("then came %q", got)
	}
	// It goes on over rotations and over the end of a run.
	r.ask(s, "log 700000")
	for range (700000 + 63) / 64 {
		if got := next(); len(got) != 64 || got[0] != 'x' {
			t.Fatalf("a line is %q", got)
		}
	}
	r.ask(s, "exit 3")
	if got := next(); got != "** SANDSTORM SUPERVISOR: App exited with status code: 3\n" {
		t.Errorf("then came %q", got)
	}
	r.start(lease, actServe)
	if got := next(); got != "serving\n" {
		t.Errorf("then came %q", got)
	}
	// Closing unblocks a reader.
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, lines)
		read <- err
	}()
	l.Close()
	<-read
}
