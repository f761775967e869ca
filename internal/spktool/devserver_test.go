package spktool

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/control"
)

func TestIsOwn(t *testing.T) {
	for _, c := range []struct {
		owner, mode, user uint32
		own               bool
	}{
		{1000, 0o755, 1000, true},
		{0, 0o755, 1000, true},
		{1001, 0o755, 1000, false},
		{0, 0o1777, 1000, false}, // /tmp
		{1000, 0o775, 1000, false},
	} {
		if isOwn(&unix.Stat_t{Uid: c.owner, Mode: unix.S_IFDIR | c.mode}, c.user) != c.own {
			t.Errorf("%+v", c)
		}
	}
}

// The attack: somebody puts a server's socket into a folder that others work in,
// and reads their files as soon as they run spk dev there.
func TestStrangersServer(t *testing.T) {
	shared := t.TempDir()
	data := filepath.Join(shared, "var")
	if err := os.MkdirAll(filepath.Dir(control.DevSocket(data)), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", control.DevSocket(data))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Chdir(shared)
	if socket, err := devSocket(""); err != nil || socket != control.DevSocket("var") {
		t.Fatal(socket, err)
	}
	for _, dir := range []string{shared, data} { // everybody could have made it
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if socket, err := devSocket(""); err == nil || !strings.Contains(err.Error(), "--server var") {
		t.Error(socket, err)
	}
	if socket, err := devSocket("var"); err != nil || socket != control.DevSocket("var") {
		t.Error(socket, err)
	}
}
