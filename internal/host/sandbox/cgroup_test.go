//go:build linux && amd64

package sandbox

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A grain is in its cgroup from its birth, where there is one to be had.
func TestCgroup(t *testing.T) {
	dir := ""
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var st unix.Statfs_t
		if unix.Statfs(root, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
			dir = filepath.Join(root, "sandbox-test-"+strconv.Itoa(os.Getpid()))
		}
	}
	if dir == "" || os.Mkdir(dir, 0o755) != nil {
		t.Log("no cgroup v2 that may be written here")
		return
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	b := newBox(t, newLauncher(t), "serve", "8000")
	group, err := os.Open(dir)
	b.must(err)
	defer group.Close()
	b.CgroupFD = int(group.Fd())
	p := b.start()
	procs, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	b.must(err)
	if list := strings.Fields(string(procs)); len(list) != 2 || list[0] != strconv.Itoa(p.PID()) {
		t.Errorf("in the cgroup: %v", list)
	}
	b.must(p.Kill())
	<-p.Done()
}
