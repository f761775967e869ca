package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/host"
)

const (
	hostArgument = "trial-host"
	// A directory without both of these is none of ours to delete.
	dirPrefix = "spk-trial-"
	dirMarker = "trial"
	// maxSocketDir is the longest directory below which the sockets of the host,
	// and of apps in their storage, still have paths that the kernel takes.
	maxSocketDir = 60

	endTimeout = 20 * time.Second
)

// hostProcess is a host process of our own, on a directory of its own.
type hostProcess struct {
	dir    string
	client host.Client
	pid    int // descriptor of the process
}

// startHost starts this program as a host process.
func startHost(ctx context.Context) (*hostProcess, error) {
	dir, err := makeDir()
	if err != nil {
		return nil, err
	}
	h := &hostProcess{dir: dir, pid: -1}
	h.client, err = host.EnsureRunning(ctx, host.Options{
		Executable: "/proc/self/exe", Args: []string{hostArgument, dir, strconv.Itoa(os.Getpid())}, DataDir: dir,
	})
	if err == nil {
		var info *host.Info
		if info, err = h.client.Info(ctx); err == nil {
			h.pid, err = unix.PidfdOpen(info.PID, 0)
			err = os.NewSyscallError("pidfd_open", err)
		}
	}
	if err != nil {
		return nil, errors.Join(err, h.end(context.WithoutCancel(ctx)))
	}
	return h, nil
}

func makeDir() (string, error) {
	parent := os.TempDir()
	if len(parent) > maxSocketDir {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, dirPrefix)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, dirMarker), nil, 0o600); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

// tree is where the host keeps the copy of the only package that it has, which
// is one under development.
func (h *hostProcess) tree() (string, error) {
	const below = "apps/dev-*/tree"
	found, err := filepath.Glob(filepath.Join(h.dir, below))
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d copies of the package at %s", len(found), below)
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// end stops the grains and the process and deletes the directory.
func (h *hostProcess) end(ctx context.Context) error {
	var errs []error
	if h.client != nil {
		errs = append(errs, h.client.Shutdown(ctx, true), h.client.Close())
	}
	if h.pid >= 0 {
		if !waitProcess(h.pid, endTimeout) {
			errs = append(errs, errors.New("the host process of the trial did not end by itself"))
			errs = append(errs, unix.PidfdSendSignal(h.pid, unix.SIGKILL, nil, 0))
		}
		_ = unix.Close(h.pid)
	}
	// The host process deletes it as well, and with more rights if an app has
	// left files behind that this user may not delete.
	if err := os.RemoveAll(h.dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, fmt.Errorf("delete %s: %w", h.dir, err))
	}
	return errors.Join(errs...)
}

// waitProcess waits until a process ends, and reports whether it did.
func waitProcess(pidfd int, limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for {
		left := time.Until(deadline)
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, max(0, int(left.Milliseconds())))
		if n > 0 || left <= 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return n > 0
		}
	}
}

// isOurs reports whether dir is one that makeDir made.
func isOurs(dir string) bool {
	if !filepath.IsAbs(dir) || !strings.HasPrefix(filepath.Base(dir), dirPrefix) {
		return false
	}
	info, err := os.Lstat(filepath.Join(dir, dirMarker))
	return err == nil && info.Mode().IsRegular()
}

// end ends everything of the trial.
func (t *trial) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	var errs []error
	if t.copy != nil {
		errs = append(errs, t.copy.close())
	}
	if t.dev != nil {
		errs = append(errs, t.dev.Close())
	}
	if t.hasGrain {
		errs = append(errs, t.host.client.DeleteGrain(ctx, t.lease))
	}
	if t.host != nil {
		errs = append(errs, t.host.end(ctx))
	}
	if t.fs != nil {
		errs = append(errs, t.fs.Close())
		gone := make(chan struct{})
		go func() {
			t.fs.Wait()
			close(gone)
		}()
		select {
		case <-gone:
		case <-ctx.Done():
			errs = append(errs, errors.New("the file system of the trial is still in use"))
		}
	}
	return errors.Join(errs...)
}
