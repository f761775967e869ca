package devfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/devfs"
)

// The tests mount for real, but nowhere: a mount that is attached to no
// directory is reached through its descriptor and ends with it. That takes the
// rights of root in some user namespace. Run as root, the tests run again in a
// namespace of an ordinary user.
const (
	envInside = "DEVFS_TEST_INSIDE" // set in the namespace
	envDevice = "DEVFS_TEST_DEVICE" // the /dev/fuse to use there
)

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 && os.Getenv(envInside) == "" {
		os.Exit(runInside(os.Args[1:], "/dev/fuse", os.Geteuid(), os.Getegid()))
	}
	os.Exit(m.Run())
}

// runInside runs this program as root of a new user namespace of a user.
func runInside(args []string, device string, uid, gid int) int {
	out, err := inside(args, device, uid, gid)
	os.Stdout.Write(out)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func inside(args []string, device string, uid, gid int) ([]byte, error) {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), envInside+"=1", envDevice+"="+device)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}},
	}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 0, Gid: 0, NoSetGroups: true}
	}
	err := cmd.Run()
	return out.Bytes(), err
}

// TestAsOrdinaryUser runs all other tests with nothing but an unprivileged user
// namespace.
func TestAsOrdinaryUser(t *testing.T) {
	if os.Getenv(envInside) != "" {
		return // this is it
	}
	const user = 54321
	dir, err := os.MkdirTemp("", "devfs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	device := filepath.Join(dir, "fuse")
	if err := unix.Mknod(device, unix.S_IFCHR|0o666, int(unix.Mkdev(10, 229))); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o777, device: 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TMPDIR", dir)
	out, err := inside([]string{"-test.v", "-test.count=1"}, device, user, user)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: TestExecute") {
		t.Fatalf("the tests did not run:\n%s", out)
	}
}

// mounted is a file system under test.
type mounted struct {
	t   testing.TB
	fs  *devfs.FS
	dir *os.File // its root, as a place
}

func device() string {
	if path := os.Getenv(envDevice); path != "" {
		return path
	}
	return "/dev/fuse"
}

// mount mounts tree and serves it.
func mount(t testing.TB, tree devfs.Tree, opts devfs.Options) *mounted {
	t.Helper()
	fd, err := unix.Open(device(), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open %s: %v", device(), err)
	}
	dev := os.NewFile(uintptr(fd), "fuse")
	defer dev.Close()
	m := &mounted{t: t, dir: detached(t, fd)}
	t.Cleanup(m.unmount)
	if m.fs, err = devfs.Serve(dev, tree, opts); err != nil {
		t.Fatal(err)
	}
	m.primePoll()
	return m
}

// primePoll has the kernel learn that polling these files is not supported. Go
// asks for that when it opens a file, and in a way that does not let go on the
// goroutine that would have to answer; this way does.
func (m *mounted) primePoll() {
	m.t.Helper()
	fd, err := unix.Open(m.path(".go-fuse-epoll-hack"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		m.t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0); err != nil {
		m.t.Fatal(err)
	}
}

// detached mounts a FUSE descriptor without a mount point.
func detached(t testing.TB, fuse int) *os.File {
	t.Helper()
	ctx, err := unix.Fsopen("fuse", unix.FSOPEN_CLOEXEC)
	if err != nil {
		t.Fatalf("fsopen: %v", err)
	}
	defer unix.Close(ctx)
	for _, option := range []struct{ key, value string }{
		{"fd", fmt.Sprint(fuse)}, {"rootmode", "40000"}, {"user_id", "0"}, {"group_id", "0"},
	} {
		if err := unix.FsconfigSetString(ctx, option.key, option.value); err != nil {
			t.Fatalf("fsconfig %s: %v", option.key, err)
		}
	}
	for _, flag := range []string{"ro", "allow_other", "default_permissions"} {
		if err := unix.FsconfigSetFlag(ctx, flag); err != nil {
			t.Fatalf("fsconfig %s: %v", flag, err)
		}
	}
	if err := unix.FsconfigCreate(ctx); err != nil {
		t.Fatalf("fsconfig: %v", err)
	}
	fd, err := unix.Fsmount(ctx, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
	if err != nil {
		t.Fatalf("fsmount: %v", err)
	}
	return os.NewFile(uintptr(fd), "mount")
}

func (m *mounted) unmount() {
	if m.dir != nil {
		m.dir.Close()
		m.dir = nil
		if m.fs != nil {
			m.fs.Wait()
		}
	}
}

// path is where a path of the tree can be reached in this process.
func (m *mounted) path(path string) string {
	return fmt.Sprintf("/proc/self/fd/%d/%s", m.dir.Fd(), path)
}

func (m *mounted) read(path string) string {
	m.t.Helper()
	b, err := os.ReadFile(m.path(path))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

// shell runs a script in a process of its own, in which $M is the root. Only
// others may execute or map what this process serves: a Go program that is
// waiting for either may not be able to answer itself.
func (m *mounted) shell(script string) string {
	m.t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Env = append(os.Environ(), "M=/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{m.dir}
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// tree shows a directory, and more.
type tree struct {
	dir       string
	generated map[string]*devfs.Entry
	resolve   func(path string) (*devfs.Entry, error) // if set, asked first; nil, nil for no answer
}

func (d *tree) Resolve(path string) (*devfs.Entry, error) {
	if d.resolve != nil {
		if e, err := d.resolve(path); e != nil || err != nil {
			return e, err
		}
	}
	if e := d.generated[path]; e != nil {
		return e, nil
	}
	e := &devfs.Entry{Source: filepath.Join(d.dir, path), Root: d.dir}
	if _, err := os.Lstat(e.Source); err != nil {
		return nil, err
	}
	return e, nil
}

func (d *tree) Names(dir string) ([]string, error) {
	seen := map[string]bool{}
	for path := range d.generated {
		if in, base := filepath.Split(path); strings.TrimSuffix(in, "/") == dir {
			seen[base] = true
		}
	}
	entries, err := os.ReadDir(filepath.Join(d.dir, dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		seen[e.Name()] = true
	}
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	return names, nil
}

// plant makes files below a new directory: "name/" is a directory, "name>target"
// a symlink, "name*" an executable; content is the name.
func plant(t testing.TB, paths ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range paths {
		name, target, link := strings.Cut(p, ">")
		path := filepath.Join(dir, strings.TrimRight(name, "/*"))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		switch {
		case err != nil:
		case link:
			err = os.Symlink(target, path)
		case strings.HasSuffix(p, "/"):
			err = os.MkdirAll(path, 0o755)
		case strings.HasSuffix(p, "*"):
			err = os.WriteFile(path, []byte(p), 0o755)
		default:
			err = os.WriteFile(path, []byte(p), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// eventually waits for something that the kernel or another goroutine does.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
