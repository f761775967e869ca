package rootfs

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestManyWaysToOneDirectory: each directory that symlinks lead to is taken
// once, or half a million links to half a million files would never end.
func TestManyWaysToOneDirectory(t *testing.T) {
	pool, root := t.TempDir(), t.TempDir()
	files{"d/file": "x"}.write(t, pool)
	var rules []rule
	for i := range 10 {
		name := fmt.Sprintf("link%d", i)
		if err := os.Symlink("d", filepath.Join(pool, name)); err != nil {
			t.Fatal(err)
		}
		rules = append(rules, rule{i + 1, name, pattern{name}})
	}
	tk := &taker{pool: openRoot(t, pool), root: openRoot(t, root)}
	for _, r := range rules {
		if err := tk.one(r.text); err != nil {
			t.Fatal(err)
		}
	}
	if len(tk.todo) != 1 {
		t.Errorf("to be taken: %q", tk.todo)
	}
	if err := tk.patterns(t.Context(), rules); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(root, "link7/file")); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
}
