package store_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/store"
	"github.com/sandstorm-go/sandstorm/internal/store/storetest"
)

// TestFullDisk runs itself again with a small file system mounted.
func TestFullDisk(t *testing.T) {
	const env = "STORE_TEST_FULL_DISK"
	if dir := os.Getenv(env); dir != "" {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
			t.Fatal(err)
		}
		onFullDisk(t, dir)
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

// onFullDisk fills the disk as an app can, and then does what frees space.
func onFullDisk(t *testing.T, dir string) {
	ctx := t.Context()
	s := open(t, store.Options{DataDir: dir})
	pkg := storetest.AddPackage(t, s, 1, 1)
	g := &sandstorm.Grain{
		ID: sandstorm.NewGrainID(), Title: "Big", Package: pkg.ID, AppID: pkg.AppID,
		Owner: storetest.AddAccount(t, s, "alice"), Created: time.Now(), LastUsed: time.Now(),
	}
	if err := s.InsertGrain(ctx, g); err != nil {
		t.Fatal(err)
	}
	fill := func() {
		f, err := os.OpenFile(filepath.Join(dir, "big"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for chunk := make([]byte, 4096); ; {
			if _, err := f.Write(chunk); err != nil {
				return
			}
		}
	}
	fill()
	var err error
	for i := 0; err == nil && i < 10_000; i++ { // the journal has some room left
		_, err = s.ClaimLease(ctx, g.ID)
	}
	if !sandstorm.IsKind(err, sandstorm.Unavailable) {
		t.Fatalf("on a full disk: %v", err)
	}
	now := time.Now()
	if err := s.SetGrainTrashed(store.FreesSpace(ctx), []sandstorm.GrainID{g.ID}, &now); err != nil {
		t.Errorf("the grain that filled the disk cannot go: %v", err)
	}
	if err := s.DeleteGrain(store.FreesSpace(ctx), g.ID); err != nil {
		t.Errorf("the grain that filled the disk cannot be deleted: %v", err)
	}
	// Once there is room again, so is the reserve, at the latest after a restart.
	if err := os.Remove(filepath.Join(dir, "big")); err != nil {
		t.Fatal(err)
	}
	open(t, store.Options{DataDir: dir})
	info, err := os.Stat(filepath.Join(dir, "server", "reserve"))
	if err != nil || info.Sys().(*syscall.Stat_t).Blocks == 0 {
		t.Errorf("no reserve: %v", err)
	}
}
