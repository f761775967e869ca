package pkgstore_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// A process that is killed leaves its staging directory, and perhaps what it
// wrote down of a package whose tree did not come.
func TestCrashIsCleanedUp(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	file, info := makeSPK(t, "x", nil)
	if _, err := s.Install(ctx, bytes.NewReader(file), host.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	id := string(info.PackageID)
	orphan, old := strings.Repeat("a", 32), strings.Repeat("b", 32)
	for _, name := range []string{
		"tmp/unpacking.1/tree/bin/x", "apps/" + orphan + ".json", "apps/" + orphan + ".appid", "apps/" + old + ".appid",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	openStore(t, dir)
	// Earlier servers leave .appid files behind; those stay.
	wantFiles(t, dir, id, id+".appid", id+".json", old+".appid")
}

func TestCleaningSparesTheLiving(t *testing.T) {
	dir := t.TempDir()
	openStore(t, dir)
	stage := filepath.Join(dir, "tmp", "unpacking.2")
	if err := os.Mkdir(stage, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(stage)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	openStore(t, dir)
	if _, err := os.Stat(stage); err != nil {
		t.Error("a staging directory in use was removed:", err)
	}
	f.Close()
	openStore(t, dir)
	wantFiles(t, dir)
}

// importTree puts a package where an earlier server would have it.
func importTree(t *testing.T, dir string, file []byte, info *spk.Info) string {
	t.Helper()
	openStore(t, dir)
	tree := filepath.Join(dir, "apps", string(info.PackageID))
	if _, err := spk.Unpack(ctx, bytes.NewReader(file), tree, spk.OpenOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tree+".appid", []byte(info.AppID+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestImportedTree(t *testing.T) {
	dir := t.TempDir()
	file, info := makeSPK(t, "x", nil)
	importTree(t, dir, file, info)
	s := openStore(t, dir)
	for range 2 {
		in, err := s.Get(info.PackageID)
		if err != nil {
			t.Fatal(err)
		}
		if p := in.Package; p.AppID != info.AppID || p.SHA256 != "" || p.Size != info.Unpacked {
			t.Errorf("imported %+v", p)
		}
	}
	// The file proves what the tree is.
	if _, err := s.Install(ctx, bytes.NewReader(file), host.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	if in, err := s.Get(info.PackageID); err != nil || in.Package.SHA256 != info.SHA256 {
		t.Errorf("after installation %+v, %v", in, err)
	}
	id := string(info.PackageID)
	wantFiles(t, dir, id, id+".appid", id+".json")
}

func TestImportedTreeThatDiffers(t *testing.T) {
	file, info := makeSPK(t, "x", nil)
	for name, change := range map[string]func(tree string) error{
		"content":    func(tree string) error { return os.WriteFile(filepath.Join(tree, "run"), []byte("y"), 0o755) },
		"added":      func(tree string) error { return os.WriteFile(filepath.Join(tree, "more"), nil, 0o644) },
		"removed":    func(tree string) error { return os.Remove(filepath.Join(tree, "etc")) },
		"executable": func(tree string) error { return os.Chmod(filepath.Join(tree, "run"), 0o644) },
		"symlink": func(tree string) error {
			_ = os.Remove(filepath.Join(tree, "etc"))
			return os.Symlink("/etc", filepath.Join(tree, "etc"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := change(importTree(t, dir, file, info)); err != nil {
				t.Fatal(err)
			}
			_, err := openStore(t, dir).Install(ctx, bytes.NewReader(file), host.InstallOptions{})
			wantKey(t, err, sandstorm.Conflict, "package.other-content")
			id := string(info.PackageID)
			wantFiles(t, dir, id, id+".appid")
		})
	}
}

// The original's server followed a symlink to the manifest.
func TestSymlinksAreNotFollowed(t *testing.T) {
	file, info := makeSPK(t, "x", nil)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{spk.ManifestName, spk.BridgeConfigName, "dev", "tmp", "var", "proc", "proc/cpuinfo"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(importTree(t, dir, file, info), name)
			if err := os.Rename(path, filepath.Join(outside, strings.ReplaceAll(name, "/", "_"))); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(outside, strings.ReplaceAll(name, "/", "_")), path); err != nil {
				t.Fatal(err)
			}
			_, err := openStore(t, dir).Get(info.PackageID)
			wantKey(t, err, sandstorm.Invalid, "package.bad-archive")
		})
	}
}

// TestFullDisk runs itself again with a tiny file system mounted.
func TestFullDisk(t *testing.T) {
	const env = "PKGSTORE_TEST_FULL_DISK"
	if dir := os.Getenv(env); dir != "" {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
			t.Fatal(err)
		}
		file, _ := makeSPK(t, strings.Repeat("0123456789abcdef", 1<<16), nil)
		_, err := openStore(t, dir).Install(ctx, bytes.NewReader(file), host.InstallOptions{})
		wantKey(t, err, sandstorm.Unavailable, "package.no-space")
		wantFiles(t, dir)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), env+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS // makes all mounts private
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A package is gone before its files are deleted, and they go even if the host
// ends in between.
func TestDetachedPackageIsGone(t *testing.T) {
	file, info := makeSPK(t, "x", nil)
	dir := t.TempDir()
	s := openStore(t, dir)
	for _, freed := range []bool{true, false} {
		if _, err := s.Install(ctx, bytes.NewReader(file), host.InstallOptions{}); err != nil {
			t.Fatal(err)
		}
		free, err := s.Detach(ctx, info.PackageID)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Get(info.PackageID)
		wantKey(t, err, sandstorm.NotFound, "package.not-found")
		// It can come back at once.
		if _, err := s.Install(ctx, bytes.NewReader(file), host.InstallOptions{}); err != nil {
			t.Fatal(err)
		}
		if freed {
			if err := free(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Get(info.PackageID); err != nil {
				t.Errorf("the new one was deleted with the old: %v", err)
			}
			if err := s.Remove(ctx, info.PackageID); err != nil {
				t.Fatal(err)
			}
			wantFiles(t, dir)
		}
	}
}
