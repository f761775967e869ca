//go:build linux && amd64

package sandbox

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"testing"
)

// The order of steps is what keeps a half-built box safe.
func TestStepOrder(t *testing.T) {
	l := newLauncher(t)
	b := newBox(t, l, "look")
	trees, err := openTrees(&b.Config)
	b.must(err)
	defer trees.close()
	null, err := os.Open(os.DevNull)
	b.must(err)
	defer null.Close()
	builder := newBuilder(l, &b.Config, trees, null, null)
	builder.build(null)
	var steps []string
	for n := uint32(0); ; n++ {
		s := builder.Step(n)
		if s == stepExecute {
			break
		}
		if n > 1000 {
			t.Fatal("the app is never executed")
		}
		if len(steps) == 0 || steps[len(steps)-1] != s {
			steps = append(steps, s)
		}
	}
	if steps[0] != "set no_new_privs" || steps[len(steps)-1] != "install the system call filter" {
		t.Errorf("steps: %q", steps)
	}
	position := func(step string) int {
		i := slices.Index(steps, step)
		if i < 0 {
			t.Fatalf("no step %q in %q", step, steps)
		}
		return i
	}
	for _, pair := range [][2]string{
		{"enter the room", stepMountNS},
		{stepMountNS, "mount the package"},
		{"mount the package", "mount /dev"},
		{"enter the package", "mount /var"},
		{"mount /dev/shm", "set user id"},
		{"set host name", "set user id"},
		{"set user id", stepUserNS},
		{stepUserNS, "write /proc/self/setgroups"},
		{"write /proc/self/setgroups", "write /proc/self/gid_map"},
		{"write /proc/self/gid_map", "protect grain-init"},
	} {
		if position(pair[0]) >= position(pair[1]) {
			t.Errorf("%q does not precede %q in %q", pair[0], pair[1], steps)
		}
	}
}

// A pool that is emptied at once fills again, on demand.
func TestNetPool(t *testing.T) {
	p, err := newNetPool(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	seen := map[string]bool{}
	for range 3 * spareNets {
		f, err := p.get(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", rawFD(f)))
		if err != nil || seen[name] {
			t.Errorf("%s was given out twice (%v)", name, err)
		}
		seen[name] = true
	}
}
