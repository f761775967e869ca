package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTestDir returns a directory of the test as the host holds it.
func openTestDir(t *testing.T) (string, *dir) {
	t.Helper()
	path := t.TempDir()
	fd, err := openDir(unix.AT_FDCWD, path)
	if err != nil {
		t.Fatal(err)
	}
	d := &dir{fd: fd}
	t.Cleanup(d.close)
	return path, d
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// makeDeep nests directories far beyond what a path or a set of descriptors
// could hold, as a hostile app can.
func makeDeep(t *testing.T, dir int, depth int) {
	t.Helper()
	cur, err := openDir(dir, ".")
	mustDo(t, err)
	for i := range depth {
		name := fmt.Sprintf("level-%d", i)
		mustDo(t, unix.Mkdirat(cur, name, 0o700))
		next, err := openDir(cur, name)
		mustDo(t, err)
		unix.Close(cur)
		cur = next
	}
	fd, err := unix.Openat(cur, "file", unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	mustDo(t, err)
	_, err = unix.Write(fd, make([]byte, 4096))
	mustDo(t, err)
	unix.Close(fd)
	unix.Close(cur)
}

func TestRemoveTreeStaysInside(t *testing.T) {
	path, d := openTestDir(t)
	outside := filepath.Join(t.TempDir(), "outside")
	mustDo(t, os.Mkdir(outside, 0o700))
	mustDo(t, os.WriteFile(filepath.Join(outside, "precious"), []byte("x"), 0o600))
	top := filepath.Join(path, "top")
	for _, dir := range []string{"a/b/c", "many"} {
		mustDo(t, os.MkdirAll(filepath.Join(top, dir), 0o700))
	}
	for i := range 3000 {
		mustDo(t, os.WriteFile(filepath.Join(top, "many", fmt.Sprint(i)), nil, 0o600))
		if i%100 == 0 {
			mustDo(t, os.Mkdir(filepath.Join(top, "many", fmt.Sprint("d", i)), 0o700))
		}
	}
	mustDo(t, os.Symlink(outside, filepath.Join(top, "a", "link")))
	mustDo(t, os.Symlink("../../..", filepath.Join(top, "a", "b", "up")))
	mustDo(t, unix.Mkfifo(filepath.Join(top, "fifo"), 0o600))
	mustDo(t, removeTree(t.Context(), d.fd, "top"))
	if _, err := os.Lstat(top); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("tree is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(outside, "precious")); err != nil {
		t.Errorf("file behind a symlink is gone: %v", err)
	}
	mustDo(t, removeTree(t.Context(), d.fd, "top")) // once more does nothing
}

func TestRemoveTreeOfALinkRemovesTheLink(t *testing.T) {
	path, d := openTestDir(t)
	mustDo(t, os.Mkdir(filepath.Join(path, "target"), 0o700))
	mustDo(t, os.WriteFile(filepath.Join(path, "target", "f"), nil, 0o600))
	mustDo(t, os.Symlink("target", filepath.Join(path, "link")))
	mustDo(t, removeTree(t.Context(), d.fd, "link"))
	if _, err := os.Stat(filepath.Join(path, "target", "f")); err != nil {
		t.Error(err)
	}
}

func TestDeepTrees(t *testing.T) {
	path, d := openTestDir(t)
	mustDo(t, d.mkdir("top", 0o700))
	top, err := d.sub("top")
	mustDo(t, err)
	defer top.close()
	makeDeep(t, top.fd, 2*maxDepth+100)
	size, err := treeSize(t.Context(), top.fd)
	if err != nil || size < (2*maxDepth+100)*4096 {
		t.Errorf("size = %d, %v; want at least a block for each", size, err)
	}
	mustDo(t, removeTree(t.Context(), d.fd, "top"))
	if _, err := os.Lstat(filepath.Join(path, "top")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("tree is still there: %v", err)
	}
}

func TestTreeSizeCountsBlocksOnce(t *testing.T) {
	path, d := openTestDir(t)
	mustDo(t, os.WriteFile(filepath.Join(path, "f"), make([]byte, 1<<20), 0o600))
	one, err := treeSize(t.Context(), d.fd)
	mustDo(t, err)
	mustDo(t, os.Link(filepath.Join(path, "f"), filepath.Join(path, "g")))
	mustDo(t, os.Symlink("/", filepath.Join(path, "root")))
	sparse, err := os.Create(filepath.Join(path, "sparse"))
	mustDo(t, err)
	mustDo(t, sparse.Truncate(1<<30))
	sparse.Close()
	two, err := treeSize(t.Context(), d.fd)
	mustDo(t, err)
	if one < 1<<20 || two < one || two > one+64<<10 {
		t.Errorf("size grew from %d to %d by a hard link, a symlink and a hole", one, two)
	}
}

// TestWalkNoticesAMove moves the directory that a walk is in to another place:
// the walk must not go up into a directory that it does not know.
func TestWalkNoticesAMove(t *testing.T) {
	path, d := openTestDir(t)
	mustDo(t, os.MkdirAll(filepath.Join(path, "top", "a", "b"), 0o700))
	mustDo(t, os.MkdirAll(filepath.Join(path, "other"), 0o700))
	mustDo(t, os.WriteFile(filepath.Join(path, "top", "a", "b", "f"), nil, 0o600))
	top, err := d.sub("top")
	mustDo(t, err)
	defer top.close()
	err = walk(t.Context(), top.fd, visitor{enter: func(_ int, name string, _ *unix.Stat_t) error {
		if name == "f" {
			return os.Rename(filepath.Join(path, "top", "a", "b"), filepath.Join(path, "other", "b"))
		}
		return nil
	}})
	if !errors.Is(err, errMoved) {
		t.Errorf("err = %v, want errMoved", err)
	}
}

func TestWalkEndsWithContext(t *testing.T) {
	_, d := openTestDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := walk(ctx, d.fd, visitor{}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func TestChownTreeTopComesLast(t *testing.T) {
	if os.Geteuid() != 0 {
		return // an ordinary user can give nothing away: that tier never chowns
	}
	path, d := openTestDir(t)
	outside := filepath.Join(t.TempDir(), "outside")
	mustDo(t, os.WriteFile(outside, nil, 0o600))
	mustDo(t, os.MkdirAll(filepath.Join(path, "sandbox", "x"), 0o700))
	mustDo(t, os.Symlink(outside, filepath.Join(path, "sandbox", "x", "link")))
	pool := newUIDPool(2_000_000, 10)
	uid, err := pool.owner(t.Context(), d)
	mustDo(t, err)
	for _, name := range []string{"sandbox", "sandbox/x", "sandbox/x/link"} {
		var st unix.Stat_t
		mustDo(t, unix.Lstat(filepath.Join(path, name), &st))
		if int(st.Uid) != uid || int(st.Gid) != uid {
			t.Errorf("%s belongs to %d:%d, want %d", name, st.Uid, st.Gid, uid)
		}
	}
	var st unix.Stat_t
	mustDo(t, unix.Stat(outside, &st))
	if st.Uid != 0 {
		t.Error("chown followed a symlink out")
	}
	again, err := pool.owner(t.Context(), d)
	if err != nil || again != uid {
		t.Errorf("second look: %d, %v; want %d", again, err, uid)
	}
}

func TestUIDPool(t *testing.T) {
	p := newUIDPool(100, 3)
	p.claim(101)
	p.claim(7) // somebody else's
	a, err := p.take()
	mustDo(t, err)
	b, err := p.take()
	mustDo(t, err)
	if got := fmt.Sprint(a, b); got != "100 102" {
		t.Errorf("took %s", got)
	}
	if _, err := p.take(); err == nil || !strings.Contains(err.Error(), "all 3") {
		t.Errorf("took from an empty pool: %v", err)
	}
	p.giveBack(b)
	if c, err := p.take(); c != b || err != nil {
		t.Errorf("took %d, %v; want %d", c, err, b)
	}
}
