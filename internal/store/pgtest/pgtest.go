// Package pgtest runs a PostgreSQL server for tests, from the programs that
// Debian's package "postgresql" installs. It never skips: without them the test
// fails and says what to install, because a suite that runs on one engine only
// proves nothing about the other.
package pgtest

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that makes the databases

	"github.com/sandstorm-go/sandstorm"
)

// startTimeout bounds initdb and start together; they take about two seconds.
const startTimeout = 60 * time.Second

// Server is a running server that listens on a Unix socket only.
type Server struct {
	dir   string
	admin *sql.DB
	count atomic.Int64
}

// Start runs a server until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	bin := programs(t)
	// Not t.TempDir: the server's user must be able to enter it, and a socket's
	// path may have at most 107 bytes.
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cred := credential(t, dir)
	s := &Server{dir: dir}
	initdb(t, filepath.Join(bin, "initdb"), s.data(), cred)
	s.run(t, filepath.Join(bin, "postgres"), cred)
	if s.admin, err = sql.Open("pgx", s.url("postgres")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.admin.Close() })
	return s
}

// Database makes an empty database and returns its URL. It is dropped with the
// server.
func (s *Server) Database(t testing.TB) sandstorm.Secret {
	t.Helper()
	name := fmt.Sprintf("test%d", s.count.Add(1))
	// Other programs create databases in the server's default encoding, which
	// follows the locale; ours needs UTF-8 and says so.
	if _, err := s.admin.Exec(`CREATE DATABASE ` + name); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	return sandstorm.Secret(s.url(name))
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) url(database string) string {
	q := url.Values{"host": {s.dir}, "user": {"postgres"}}
	return "postgres:///" + database + "?" + q.Encode()
}

// programs finds the directory of initdb and postgres: the newest version that
// Debian's packages installed, else what is on PATH.
func programs(t testing.TB) string {
	t.Helper()
	best, bestVersion := "", -1.0
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range dirs {
		v, err := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64)
		if _, serr := os.Stat(filepath.Join(dir, "initdb")); err == nil && serr == nil && v > bestVersion {
			best, bestVersion = dir, v
		}
	}
	if best != "" {
		return best
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		t.Fatal("PostgreSQL is needed for this test: run 'apt-get install postgresql' " +
			"(looked for initdb in /usr/lib/postgresql/*/bin and on PATH)")
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(path)
}

// credential is the user that the server runs as: it refuses to be root.
func credential(t testing.TB, dir string) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if uerr != nil || gerr != nil {
			continue
		}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			t.Fatal(err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	t.Fatal("PostgreSQL refuses to run as root and there is neither a user postgres nor nobody: run the tests as an ordinary user")
	return nil
}

func initdb(t testing.TB, program, data string, cred *syscall.Credential) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--pgdata="+data, "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir = filepath.Dir(data)
	cmd.Env = environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
}

// run starts the server, returns once it accepts connections, and stops it when
// the test ends. Should the test be killed, the kernel stops the server.
func (s *Server) run(t testing.TB, program string, cred *syscall.Credential) {
	t.Helper()
	cmd := exec.Command(program, "-D", s.data(), "-c", "listen_addresses=", "-c", "unix_socket_directories="+s.dir,
		"-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=100", "-c", "logging_collector=off")
	cmd.Dir = s.dir
	cmd.Env = environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Pdeathsig: syscall.SIGQUIT}
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		// The death signal is sent when the starting thread ends, so keep it.
		runtime.LockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("start postgres: %v", err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGINT) // "fast": ends the sessions and stops
		<-ended
	})
	ready := make(chan struct{})
	var early strings.Builder
	go func() {
		open := true
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if open {
				early.WriteString(lines.Text() + "\n")
			}
			if open && strings.Contains(lines.Text(), "ready to accept connections") {
				open = false
				close(ready)
			}
		}
	}()
	select {
	case <-ready:
	case <-ended:
		t.Fatalf("postgres ended:\n%s", early.String())
	case <-time.After(startTimeout):
		t.Fatalf("postgres was not ready within %v", startTimeout)
	}
}

// environ is small and fixed: the log line that says "ready" must be English.
func environ() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}
