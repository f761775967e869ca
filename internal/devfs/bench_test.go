package devfs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/devfs"
)

// BenchmarkNodeStart starts a Node.js app of 1,000 modules, as it lies on disk
// and through the file system, Node.js itself included: fresh, when the kernel
// knows nothing of it, and again.
func BenchmarkNodeStart(b *testing.B) {
	dir := manyModules(b, 1000)
	root, err := os.Open("/")
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	node := func(b *testing.B, root *os.File) {
		b.Helper()
		// Node.js resolves symlinks, those in /proc as well: hence chroot.
		cmd := exec.Command("chroot", "/proc/self/fd/3", "/usr/bin/node", dir+"/main.js")
		cmd.ExtraFiles = []*os.File{root}
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			node(b, root)
		}
	})
	b.Run("again", func(b *testing.B) {
		m := mount(b, &tree{dir: "/"}, devfs.Options{CacheFor: time.Hour})
		for b.Loop() {
			node(b, m.dir)
		}
	})
	b.Run("fresh", func(b *testing.B) {
		for b.Loop() {
			m := mount(b, &tree{dir: "/"}, devfs.Options{CacheFor: time.Hour})
			node(b, m.dir)
			m.unmount()
		}
	})
}

// manyModules makes an app of Node.js whose modules lie in packages.
func manyModules(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	main := ""
	for i := range n {
		name := fmt.Sprintf("module-%d", i)
		pkg := filepath.Join(dir, "node_modules", name)
		err := os.MkdirAll(filepath.Join(pkg, "lib"), 0o755)
		if err == nil {
			err = os.WriteFile(filepath.Join(pkg, "package.json"), []byte(`{"main": "lib/index.js"}`), 0o600)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(pkg, "lib/index.js"), []byte("module.exports = require('./other')"), 0o600)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(pkg, "lib/other.js"), []byte("module.exports = 1"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		main += fmt.Sprintf("require(%q)\n", name)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.js"), []byte(main), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
