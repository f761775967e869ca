package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/test/harness"
)

// makeImage makes an OCI image with a real tool, of a program out of a Debian
// package and a page, and of much that nobody uses.
const makeImage = `
printf 'busybox-static\n+ bin/busybox\n' >list
spk root --from deb:list rootfs
mkdir rootfs/srv rootfs/unused
echo '<!doctype html><link rel="stylesheet" href="style.css"><h1>From an image</h1>' >rootfs/srv/index.html
echo 'h1 { color: green }' >rootfs/srv/style.css
head -c 3000000 /dev/urandom >rootfs/unused/noise
umoci init --layout image
umoci new --image image:site
umoci insert --image image:site rootfs /
umoci config --image image:site --config.entrypoint /bin/busybox --config.cmd httpd --config.cmd=-f \
	--config.cmd=-p --config.cmd=8000 --config.cmd=-h --config.cmd=/srv --config.exposedports 8000/tcp
mkdir app
`

// TestImage: an OCI image becomes a package with what it uses, and a grain.
func TestImage(t *testing.T) {
	s := harness.Start(t, false)
	dir := t.TempDir()
	run := func(in, script string) string {
		t.Helper()
		cmd := exec.Command("sh", "-euc", script)
		cmd.Dir = filepath.Join(dir, in)
		cmd.Env = append(os.Environ(), "PATH="+filepath.Join(harness.Root(), "bin")+":"+os.Getenv("PATH"), "HOME="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s%v\n%s", script, err, out)
		}
		return string(out)
	}
	run("", makeImage)
	if said := run("app", "spk init --quiet --from oci:../image:site"); !strings.Contains(said, "/bin/busybox httpd") {
		t.Errorf("spk init said\n%s", said)
	}
	run("app", "spk pack --from oci:../image:site site.spk")
	list := run("app", "cat sandstorm-files.list")
	for path, want := range map[string]bool{"bin/busybox": true, "srv/index.html": true, "srv/style.css": true, "unused": false} {
		if strings.Contains(list, path) != want {
			t.Errorf("%s is packed: %v\n%s", path, !want, list)
		}
	}
	var app harness.App
	s.JSON(&app, "app", "install", filepath.Join(dir, "app", "site.spk"))
	origin, client := s.Session(s.Grain(app))
	if status, body := s.Get(client, origin+"/"); status != 200 || !strings.Contains(body, "From an image") {
		t.Errorf("the grain answers %d %s", status, body)
	}
	// With the list, the app need not run to be packed again.
	run("app", "spk pack --from oci:../image:site again.spk")
}
