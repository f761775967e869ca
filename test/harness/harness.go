// Package harness runs the real binaries for the end-to-end tests: a server in
// a directory of its own, its commands, and the packages built from apps/.
package harness

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Nobody is the ordinary user of tests that run as root: an id that owns
// nothing.
const Nobody = 64999

// Root is the top of the checkout.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Package is the path of a package that `make apps` built.
func Package(t testing.TB, app string) string {
	t.Helper()
	path := filepath.Join(Root(), "build", "apps", app+".spk")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is not built; run `make apps`: %v", app, err)
	}
	return path
}

// Server is a running `sandstorm dev`, or `sandstorm serve` if it has a Config.
type Server struct {
	T       testing.TB
	Data    string
	Port    int
	BaseURL string
	User    bool   // runs as an ordinary user
	Config  string // the configuration file, for `sandstorm serve`

	dir    string // holds Data, and the binary
	bin    string
	starts int // of `sandstorm serve`
	cmd    *exec.Cmd
	output Output
	exited chan struct{}
}

// Tiers runs a test on a server of each kind that this machine allows: as the
// present user and, when that is root, as an ordinary user too.
func Tiers(t *testing.T, f func(t *testing.T, s *Server)) {
	t.Run("as-"+tierName(false), func(t *testing.T) { f(t, Start(t, false)) })
	if os.Getuid() == 0 {
		t.Run("as-user", func(t *testing.T) { f(t, Start(t, true)) })
	}
}

func tierName(user bool) string {
	if os.Getuid() == 0 && !user {
		return "root"
	}
	return "user"
}

// Start starts a server in a new directory and waits until it serves. It ends,
// with all its grains, when the test does. asUser drops root's rights.
func Start(t testing.TB, asUser bool) *Server {
	t.Helper()
	s := prepare(t, asUser)
	s.Port = FreePort(t)
	s.Run()
	return s
}

// prepare makes the directories of a server; all ends with the test.
func prepare(t testing.TB, asUser bool) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "sandstorm-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{T: t, dir: dir, Data: filepath.Join(dir, "data"), User: asUser && os.Getuid() == 0}
	s.bin = s.install(dir)
	if err := os.Mkdir(s.Data, 0o755); err != nil {
		t.Fatal(err)
	}
	// The server becomes another user, who must be able to get there.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if s.User {
		if err := os.Chown(s.Data, Nobody, Nobody); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("server output:\n%s", s.output.String())
			if log, err := os.ReadFile(filepath.Join(s.Data, "host.log")); err == nil {
				t.Logf("host log:\n%s", log)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("the server left something behind: %v", err)
		}
	})
	return s
}

// install copies the binary to where an ordinary user can execute it.
func (s *Server) install(dir string) string {
	src := os.Getenv("SANDSTORM_BIN") // another build than that of `make build`
	if src == "" {
		src = filepath.Join(Root(), "bin", "sandstorm")
	}
	bin, err := os.ReadFile(src)
	if err != nil {
		s.T.Fatalf("run `make build` first: %v", err)
	}
	dst := filepath.Join(dir, "sandstorm")
	// A process that another test starts meanwhile would inherit the file open
	// for writing, and what is being written cannot be executed.
	syscall.ForkLock.RLock()
	err = os.WriteFile(dst, bin, 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		s.T.Fatal(err)
	}
	return dst
}

// Run starts the server process on the same data again, after Kill or Stop.
func (s *Server) Run() {
	s.T.Helper()
	args := []string{"dev", "--data", s.Data, "--port", strconv.Itoa(s.Port)}
	if s.Config != "" {
		args = []string{"serve", "--config", s.Config}
	}
	cmd := exec.Command(s.bin, args...)
	s.asUser(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.T.Fatal(err)
	}
	cmd.Stderr = &s.output
	if err := cmd.Start(); err != nil {
		s.T.Fatal(err)
	}
	s.cmd, s.exited = cmd, make(chan struct{})
	address := make(chan string, 1)
	go func() {
		defer close(s.exited)
		scan := bufio.NewScanner(out)
		for scan.Scan() {
			if line := scan.Text(); strings.HasPrefix(line, "http") {
				select {
				case address <- line:
				default:
				}
			}
			fmt.Fprintln(&s.output, scan.Text())
		}
		cmd.Wait()
	}()
	if s.Config != "" {
		s.awaitServe()
		return
	}
	select {
	case s.BaseURL = <-address:
	case <-s.exited:
		s.T.Fatalf("the server ended at once:\n%s", s.output.String())
	case <-time.After(30 * time.Second):
		s.T.Fatalf("the server printed no address:\n%s", s.output.String())
	}
}

// Cmd is one of the program's commands, run by the server's user.
func (s *Server) Cmd(args ...string) *exec.Cmd {
	cmd := exec.Command(s.bin, args...)
	s.asUser(cmd)
	return cmd
}

func (s *Server) asUser(cmd *exec.Cmd) {
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "HOME=/nonexistent")
	if s.User {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: Nobody, Gid: Nobody}}
	}
}

// Kill ends the server process, not the host, as a crash would.
func (s *Server) Kill() {
	s.T.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.T.Fatal(err)
	}
	<-s.exited
}

// Stop ends the server, its host and its grains in order.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(20 * time.Second):
		s.T.Errorf("the server does not stop:\n%s", s.output.String())
		s.cmd.Process.Kill()
	}
	if s.Config != "" {
		s.stopHost()
	}
}

// PID is that of the server process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Output is what the server printed so far.
func (s *Server) Output() string { return s.output.String() }

// Command runs a sandstorm command against this server.
func (s *Server) Command(args ...string) (stdout, stderr string, exit int) {
	s.T.Helper()
	where := []string{"--data", s.Data}
	if s.Config != "" {
		where = []string{"--config", s.Config}
	}
	cmd := exec.Command(s.bin, append(args, where...)...)
	s.asUser(cmd)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		s.T.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// JSON runs a command that must succeed, with --json, and decodes its output.
func (s *Server) JSON(into any, args ...string) {
	s.T.Helper()
	out, errs, exit := s.Command(append(args, "--json")...)
	if exit != 0 {
		s.T.Fatalf("sandstorm %s: exit %d\n%s%s", strings.Join(args, " "), exit, out, errs)
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		s.T.Fatalf("sandstorm %s: %v in %q", strings.Join(args, " "), err, out)
	}
}

// App is what `app install` prints.
type App struct{ AppID, PackageID, Title, Version string }

// Install installs a package that `make apps` built.
func (s *Server) Install(app string) App {
	s.T.Helper()
	var a App
	s.JSON(&a, "app", "install", Copy(s.T, s, app))
	return a
}

// Copy puts a package that `make apps` built where the server's user can read
// it: the checkout may be out of reach. It ends with the server.
func Copy(t testing.TB, s *Server, app string) string {
	t.Helper()
	src := Package(t, app)
	if !s.User {
		return src
	}
	b, err := os.ReadFile(src)
	if err != nil {
		t.Fatal(err)
	}
	dst := filepath.Join(s.dir, app+".spk")
	if err := os.WriteFile(dst, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return dst
}

// Grain makes a grain for alice and returns its id.
func (s *Server) Grain(app App) string {
	s.T.Helper()
	var g struct{ ID string }
	s.JSON(&g, "grain", "create", "--app", app.AppID, "--user", "alice", "--title", app.Title)
	return g.ID
}

// Session opens a grain as alice: it returns the origin of the session's host
// and a client that holds its cookie.
func (s *Server) Session(grain string) (origin string, client *http.Client) {
	s.T.Helper()
	var o struct{ URL string }
	s.JSON(&o, "grain", "open", grain, "--user", "alice")
	client = s.Client()
	resp, err := client.Get(o.URL)
	if err != nil {
		s.T.Fatal(err)
	}
	resp.Body.Close()
	return o.URL[:strings.Index(o.URL, "/_sandstorm-init")], client
}

// Client is an HTTP client with a cookie jar that finds the server's names
// without DNS.
func (s *Server) Client() *http.Client {
	return Browser(s.T, s.Port)
}

// Browser is an HTTP client with cookies that finds all host names at a port of
// this machine.
func Browser(t testing.TB, port int) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	dialer := &net.Dialer{}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", addr)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: tr, Timeout: time.Minute}
}

// Get fetches a page and returns its status and body.
func (s *Server) Get(client *http.Client, address string) (int, string) {
	s.T.Helper()
	resp, err := client.Get(address)
	if err != nil {
		s.T.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.T.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// FreePort is a port that nobody listened on a moment ago.
func FreePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Output keeps what a process says, for who asks while it runs.
type Output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *Output) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String is everything so far.
func (b *Output) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
