package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/store"
	"github.com/sandstorm-go/sandstorm/internal/store/pgtest"
)

// A writer is killed in the middle of its work. Whatever it had reported as done
// must be there afterwards, and the database must be whole.

const (
	crashDir = "STORE_TEST_CRASH_DIR"
	crashURL = "STORE_TEST_CRASH_URL"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		crashWriter(dir, sandstorm.Secret(os.Getenv(crashURL)))
	}
	os.Exit(m.Run())
}

// crashWriter claims leases for ever and says each one that it got.
func crashWriter(dir string, url sandstorm.Secret) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{DataDir: dir, PostgresURL: url})
	for i := 0; err == nil; i++ {
		var epoch int64
		id := sandstorm.GrainID("grain" + strconv.Itoa(i%7))
		if epoch, err = s.ClaimLease(ctx, id); err == nil {
			fmt.Println(id, epoch)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestKillSQLite(t *testing.T) {
	dir := t.TempDir()
	testKill(t, dir, "")
}

func TestKillPostgres(t *testing.T) {
	srv := pgtest.Start(t)
	testKill(t, t.TempDir(), srv.Database(t))
}

func testKill(t *testing.T, dir string, url sandstorm.Secret) {
	promised := map[sandstorm.GrainID]int64{}
	for round := range 4 {
		runUntilKilled(t, dir, url, 40+17*round, promised)
		s := open(t, store.Options{DataDir: dir, PostgresURL: url})
		for id, want := range promised {
			got, err := s.Lease(t.Context(), id)
			if err != nil || got < want {
				t.Fatalf("round %d: %s has epoch %d, but %d was acknowledged (%v)", round, id, got, want, err)
			}
		}
	}
}

func runUntilKilled(t *testing.T, dir string, url sandstorm.Secret, lines int, promised map[sandstorm.GrainID]int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashURL+"="+url.Reveal())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var diag strings.Builder
	cmd.Stderr = &diag
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := 0
	for sc := bufio.NewScanner(out); sc.Scan(); {
		id, text, _ := strings.Cut(sc.Text(), " ")
		epoch, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Errorf("the writer said %q", sc.Text())
			continue
		}
		promised[sandstorm.GrainID(id)] = epoch
		if read++; read == lines {
			cmd.Process.Kill() // SIGKILL; what it still says is read to the end
		}
	}
	cmd.Wait()
	if read < lines {
		t.Fatalf("the writer ended after %d lines: %s", read, diag.String())
	}
}
