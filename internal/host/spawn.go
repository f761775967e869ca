package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
)

// Options say how EnsureRunning starts a host process.
type Options struct {
	// Executable and Args are the command of a host process on DataDir, such as
	// this program with "host". It must stay in the foreground.
	Executable string
	Args       []string
	// DataDir is the directory of the server's data.
	DataDir string
	// SocketPath is where the host listens; empty means SocketPath(DataDir).
	SocketPath string
	// Log gets a line when a host is started; nil means nobody.
	Log *slog.Logger
}

// Bounds of starting a host process.
const (
	spawnTimeout = 30 * time.Second
	spawnPause   = 3 * time.Second // after a failure, before the next attempt
	// A child that gave up may have found another host that is about to listen.
	otherTimeout = 2 * time.Second
	maxHostLog   = 1 << 20 // bytes, above which host.log becomes host.log.1 before a start
	maxTail      = 2 << 10 // bytes of host.log that an error shows
)

// SocketPath is where the host process on a data directory listens.
func SocketPath(dataDir string) string { return filepath.Join(dataDir, "socket", "host") }

// EnsureRunning connects to the host process on opts.DataDir, and starts one if
// none answers. The new process is in a session of its own, writes to host.log
// in the data directory, and outlives its parent. When several processes do
// this at once, one host remains.
//
// The Client also starts a host when a later call finds that there is none any
// more, as long as this process is still the same user.
func EnsureRunning(ctx context.Context, opts Options) (Client, error) {
	c := newClient(opts.SocketPath)
	if c.path == "" {
		c.path = SocketPath(opts.DataDir)
	}
	user := os.Geteuid()
	var failed time.Time
	var failure error
	c.again = func(ctx context.Context) (*session, error) { // one at a time
		if os.Geteuid() != user {
			return nil, errors.New("no host process runs, and this process may no longer start one")
		}
		if failure != nil && time.Since(failed) < spawnPause {
			return nil, failure
		}
		s, err := spawnAndAwait(ctx, &opts, c.path)
		failure = err
		if ctx.Err() != nil {
			failure = nil // the caller's fault, not the host's
		}
		failed = time.Now()
		return s, err
	}
	if _, err := c.session(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

func spawnAndAwait(ctx context.Context, opts *Options, path string) (*session, error) {
	s, err := spawn(opts)
	if err != nil {
		return nil, sandstorm.Errorf(sandstorm.Unavailable, "host.spawn", "start the host process: %w", err)
	}
	if opts.Log != nil {
		opts.Log.Info("started a host process", "process", s.cmd.Process.Pid, "log", s.logPath)
	}
	return s.await(ctx, path)
}

// noListener reports whether err says that no host is there, rather than that
// it is of no use.
func noListener(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ECONNREFUSED)
}

// spawned is a host process that was just started.
type spawned struct {
	cmd     *exec.Cmd
	exited  chan struct{} // closed when it ended
	logPath string
	logFrom int64 // where its part of the log begins
}

func spawn(opts *Options) (*spawned, error) {
	if err := os.MkdirAll(opts.DataDir, 0o755); err != nil {
		return nil, err
	}
	s := &spawned{exited: make(chan struct{}), logPath: filepath.Join(opts.DataDir, "host.log")}
	log, err := openHostLog(s.logPath)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if info, err := log.Stat(); err == nil {
		s.logFrom = info.Size()
	}
	s.cmd = exec.Command(opts.Executable, opts.Args...)
	s.cmd.Dir = "/"
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.exited)
		_ = s.cmd.Wait() // its reason is in the log
	}()
	return s, nil
}

func openHostLog(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && info.Size() > maxHostLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NOFOLLOW, 0o600)
}

// await connects as soon as the host answers.
func (s *spawned) await(ctx context.Context, path string) (*session, error) {
	deadline := time.NewTimer(spawnTimeout)
	defer deadline.Stop()
	exited := s.exited
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		session, err := connect(ctx, path)
		if err == nil || !noListener(err) {
			return session, err
		}
		poll := time.NewTimer(wait)
		select {
		case <-poll.C:
		case <-exited:
			exited = nil
			deadline.Reset(otherTimeout)
		case <-deadline.C:
			poll.Stop()
			return nil, sandstorm.Errorf(sandstorm.Unavailable, "host.spawn", "the host process does not answer: %w; its log says:\n%s", err, s.tail())
		case <-ctx.Done():
			poll.Stop()
			return nil, canceled(ctx, "wait for the host process")
		}
		poll.Stop()
	}
}

// tail is the end of what the new process wrote to the log.
func (s *spawned) tail() string {
	f, err := os.Open(s.logPath)
	if err != nil {
		return fmt.Sprint(err)
	}
	defer f.Close()
	from := s.logFrom
	if info, err := f.Stat(); err == nil {
		from = max(from, info.Size()-maxTail)
	}
	text, err := io.ReadAll(io.LimitReader(io.NewSectionReader(f, from, maxTail), maxTail))
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(text)
}
