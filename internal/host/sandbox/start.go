//go:build linux

package sandbox

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/stage"
	"golang.org/x/sys/unix"
)

// startTimeout bounds what a start may take even if the caller's context does
// not: a file system that hangs must not hold a caller for ever.
const startTimeout = 30 * time.Second

// Start builds a box and runs the app in it. It returns once the app's execve
// has succeeded. If it fails, nothing of the grain runs any more and the error
// chain holds a *host.StartError.
func (l *Launcher) Start(ctx context.Context, c Config) (*Process, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.check(l.tier); err != nil {
		return nil, err
	}
	for pause := time.Millisecond; ; pause *= 4 {
		p, err := l.startOnce(ctx, &c)
		if !errors.Is(err, unix.ETXTBSY) || pause > 100*time.Millisecond {
			return p, err
		}
		// The program was just installed, and a process that this one forked
		// in that moment still has it open for writing, until its execve.
		time.Sleep(pause)
	}
}

func (l *Launcher) startOnce(ctx context.Context, c *Config) (*Process, error) {
	t, err := openTrees(c)
	if err != nil {
		return nil, err
	}
	defer t.close()
	net, err := l.nets.get(ctx)
	if err != nil {
		return nil, err
	}
	p, err := l.startIn(ctx, c, t, net)
	if err != nil {
		_ = net.Close()
		return nil, err
	}
	return p, nil
}

// startIn starts the grain in the network namespace net, which the process
// takes over.
func (l *Launcher) startIn(ctx context.Context, c *Config, t *trees, net *os.File) (*Process, error) {
	null, err := l.room.openNull()
	if err != nil {
		return nil, startError("open /dev/null", err)
	}
	defer null.Close()
	status, report, err := statusPipe()
	if err != nil {
		return nil, startError("create the status pipe", err)
	}
	defer report.Close()
	b := newBuilder(l, c, t, null, report)
	b.build(net)
	program, err := b.memory()
	if err != nil {
		_ = status.Close()
		return nil, startError("write the start program", err)
	}
	defer program.Close()
	b.files[fdProgram] = program.Fd()
	if err := blocking(c.Log, c.API); err != nil {
		_ = status.Close()
		return nil, startError("open the log", err)
	}
	pid, pidfd, err := l.spawn(b.files, c.CgroupFD)
	runtime.KeepAlive(c)
	if err != nil {
		_ = status.Close()
		return nil, startError(stepNamespaces, err)
	}
	_ = report.Close() // so that the end of grain-init is the end of the pipe
	p := l.newProcess(pid, pidfd, net, status)
	if err := p.awaitStart(ctx, b.Step); err != nil {
		p.abandon()
		return nil, err
	}
	go p.watch()
	return p, nil
}

// statusPipe returns the end to read from without blocking a thread, and the
// end for grain-init.
func statusPipe() (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, err
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, nil, errors.Join(err, unix.Close(fds[0]), unix.Close(fds[1]))
	}
	return os.NewFile(uintptr(fds[0]), "status"), os.NewFile(uintptr(fds[1]), "report"), nil
}

// memory returns the program as a file without a name.
func (b *builder) memory() (*os.File, error) {
	content, err := b.Encode()
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("grain-init", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "program")
	if _, err := f.Write(content); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// blocking makes files fit for an app: the mode belongs to the open file, not
// to the descriptor, and Go opens pipes as non-blocking.
func blocking(files ...*os.File) error {
	for _, f := range files {
		if f == nil {
			continue
		}
		if err := unix.SetNonblock(int(rawFD(f)), false); err != nil {
			return err
		}
	}
	return nil
}

// rawFD is the descriptor of f, whose mode it does not change (as Fd would).
func rawFD(f *os.File) uintptr {
	n := ^uintptr(0)
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { n = fd })
	}
	return n
}

// awaitStart waits for the first report of grain-init.
func (p *Process) awaitStart(ctx context.Context, step func(uint32) string) error {
	stop := context.AfterFunc(ctx, func() { _ = p.status.SetReadDeadline(time.Unix(1, 0)) })
	n, value, err := readReport(p.status)
	late := !stop()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return startError("wait for the start", ctx.Err())
	case err != nil:
		return startErrorHint("wait for the start", unix.ECHILD,
			"grain-init ended without saying why; the kernel's log may tell (out of memory?)")
	case n != stage.StepStarted:
		return startError(step(n), unix.Errno(value))
	case late:
		// It started, but nobody waits for it any more.
		return startError("wait for the start", ctx.Err())
	}
	return nil
}

// readReport reads one report of a stage.
func readReport(r io.Reader) (step, value uint32, err error) {
	var b [stage.ReportLen]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, 0, err
	}
	return binary.LittleEndian.Uint32(b[:]), binary.LittleEndian.Uint32(b[4:]), nil
}
