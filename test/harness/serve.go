package harness

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/host"
)

// Serve starts `sandstorm serve` with a configuration file of the given lines
// and waits until it answers. DATA_DIR is added. Port and BaseURL are the
// caller's to set. asUser drops root's rights before the start.
func Serve(t testing.TB, asUser bool, lines ...string) *Server {
	t.Helper()
	s := prepare(t, asUser)
	s.Config = filepath.Join(s.dir, "sandstorm.conf")
	text := strings.Join(append(lines, "DATA_DIR="+s.Data), "\n") + "\n"
	if err := os.WriteFile(s.Config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.User {
		if err := os.Chown(s.Config, Nobody, Nobody); err != nil {
			t.Fatal(err)
		}
	}
	s.Run()
	return s
}

// awaitServe waits until the server that was just started says that it serves.
func (s *Server) awaitServe() {
	s.T.Helper()
	s.starts++
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if strings.Count(s.output.String(), `"msg":"serving"`) >= s.starts {
			return
		}
		select {
		case <-s.exited:
			s.T.Fatalf("the server ended at once:\n%s", s.output.String())
		default:
		}
	}
	s.T.Fatalf("the server does not say that it serves:\n%s", s.output.String())
}

// stopHost ends the host process that `serve` left, and the grains.
func (s *Server) stopHost() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	client, err := host.Dial(ctx, host.SocketPath(s.Data))
	if err != nil {
		// None runs, or it is an ordinary user's, who does not let root in.
		for _, pid := range s.Processes() {
			err := syscall.Kill(pid, syscall.SIGKILL)
			if err == nil {
				err = Gone(pid)
			}
			if err != nil && !errors.Is(err, syscall.ESRCH) {
				s.T.Errorf("end process %d: %v", pid, err)
			}
		}
		return
	}
	defer client.Close()
	info, err := client.Info(ctx)
	if err == nil {
		err = client.Shutdown(ctx, true)
	}
	if err != nil {
		s.T.Errorf("end the host process: %v", err)
		return
	}
	if err := Gone(info.PID); err != nil {
		s.T.Errorf("the host process: %v", err)
	}
}

// Gone waits until no process has this id any more, or only one that nobody has
// waited for yet.
func Gone(pid int) error {
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || zombie(pid) {
			return nil
		}
	}
	return errors.New("still there after 15 seconds")
}
