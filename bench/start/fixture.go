//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/sandstorm-go/sandstorm/internal/host/sandbox"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/stage"
	"golang.org/x/sys/unix"
)

// payloadOutput is what the payload writes when it listens.
const payloadOutput = "x"

// fixture is a package with the payload, and a grain's storage.
type fixture struct {
	dir, root, data string
	launcher        *sandbox.Launcher
	next            int // numbers the containers of crun and runc
}

func newFixture(dir string) (*fixture, error) {
	f := &fixture{dir: dir, root: filepath.Join(dir, "package"), data: filepath.Join(dir, "var")}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	for _, d := range []string{"dev", "tmp", "var", "proc"} {
		if err := os.MkdirAll(filepath.Join(f.root, d), 0o755); err != nil {
			return nil, err
		}
	}
	image, err := payload()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(f.root, "payload"), image, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(f.root, "proc/cpuinfo"), nil, 0o644); err != nil {
		return nil, err
	}
	if err := os.Mkdir(f.data, 0o777); err != nil {
		return nil, err
	}
	f.launcher, err = sandbox.New(sandbox.Options{})
	return f, err
}

func (f *fixture) close() { f.launcher.Close() }

// payload is a static server, as small as a program can be: it makes a TCP
// socket, binds, listens, writes one byte and ends.
func payload() ([]byte, error) {
	p := stage.New(2)
	fd := p.CallTo("socket", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0)
	address := []byte{unix.AF_INET, 0, 0x1f, 0x91, 127, 0, 0, 1, 15: 0} // 127.0.0.1:8081
	p.CallOn(fd, "bind", unix.SYS_BIND, p.Bytes(address), uint64(len(address)))
	p.CallOn(fd, "listen", unix.SYS_LISTEN, 8)
	p.Call("write", unix.SYS_WRITE, 1, p.String(payloadOutput), uint64(len(payloadOutput)))
	p.Call("exit", unix.SYS_EXIT_GROUP, 0)
	program, err := p.Encode()
	if err != nil {
		return nil, err
	}
	return stage.Image(program)
}

// programs are all contestants, in the order of the table.
func (f *fixture) programs() []*program {
	return []*program{
		{name: "bare", start: f.bare},
		{name: "ours", start: f.ours},
		{name: "bubblewrap", start: f.bubblewrap, peer: true},
		{name: "crun", start: f.oci("crun", "--cgroup-manager=disabled"), peer: true},
		{name: "runc", start: f.oci("runc"), peer: true},
	}
}

func (f *fixture) bare(out *os.File) (func() error, error) {
	return execute(filepath.Join(f.root, "payload"), []string{"payload"}, out)
}

func (f *fixture) ours(out *os.File) (func() error, error) {
	c := sandbox.Config{Root: f.root, Var: f.data, Argv: []string{"/payload"}, Log: out}
	if f.launcher.Tier() == sandbox.TierRoot {
		c.HostUID, c.HostGID = 1000, 1000
	}
	p, err := f.launcher.Start(context.Background(), c)
	if err != nil {
		return nil, err
	}
	return func() error {
		exit, err := p.Wait(context.Background())
		if err == nil && (exit.Code != 0 || exit.Signal != "") {
			err = fmt.Errorf("ended with %+v", exit)
		}
		return err
	}, nil
}

// execute starts a program in the plainest way there is.
func execute(path string, argv []string, out *os.File) (func() error, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	files := []uintptr{null.Fd(), out.Fd(), out.Fd()}
	env := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR=" + os.TempDir()}
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: env, Files: files})
	if err != nil {
		return nil, err
	}
	return func() error {
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
			return err
		}
		if status != 0 {
			return fmt.Errorf("ended with status %#x", int(status))
		}
		return nil
	}, nil
}
