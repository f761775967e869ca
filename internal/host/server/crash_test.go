package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
)

// A host that is killed, or finds the disk full, between the making of the
// epoch's file and the first record in it must not lock the grain up for ever.
func TestEpochFileWithoutRecord(t *testing.T) {
	path, d := openTestDir(t)
	file := filepath.Join(path, fileEpoch)
	mustDo(t, os.WriteFile(file, nil, 0o600))
	mustDo(t, fence(d, "grain", 7))
	if err := fence(d, "grain", 6); !sandstorm.IsKind(err, sandstorm.Fenced) {
		t.Errorf("an older epoch: %v", err)
	}
	for _, broken := range []string{"x", "-1\n", strings.Repeat("\x00", 21)} {
		mustDo(t, os.WriteFile(file, []byte(broken), 0o600))
		if err := fence(d, "grain", 8); err == nil {
			t.Errorf("%q passes for an epoch", broken)
		}
	}
}

// The directory of the socket belongs to the server's user, who waits for root
// to give away what it puts in the socket's place.
func TestGiveSocketGivesOnlyASocket(t *testing.T) {
	path, _ := openTestDir(t)
	uid, gid := os.Geteuid(), os.Getegid()
	victim := filepath.Join(path, "victim")
	mustDo(t, os.WriteFile(victim, nil, 0o600))
	other := filepath.Join(path, "other")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	mustDo(t, err)
	defer unix.Close(fd)
	mustDo(t, unix.Bind(fd, &unix.SockaddrUnix{Name: other}))
	mustDo(t, giveSocket(other, uid, gid))
	for name, plant := range map[string]func(string) error{
		"second name":       func(p string) error { return os.Link(victim, p) },
		"link":              func(p string) error { return os.Symlink(victim, p) },
		"directory":         func(p string) error { return os.Mkdir(p, 0o700) },
		"somebody's socket": func(p string) error { return os.Link(other, p) },
	} {
		p := filepath.Join(path, strings.ReplaceAll(name, " ", "-"))
		mustDo(t, plant(p))
		if err := giveSocket(p, uid, gid); err == nil {
			t.Errorf("%s: was given away", name)
		}
	}
}

// A log that cannot be opened again in the middle of a rotation, because the
// host has run out of descriptors or the disk of inodes, goes on later.
func TestLogRecoversFromRotation(t *testing.T) {
	path, d := openTestDir(t)
	l, err := openLog(d)
	mustDo(t, err)
	defer l.close()
	_, err = l.Write([]byte("old"))
	mustDo(t, err)
	// What rotate leaves behind if its last step fails.
	mustDo(t, d.move(fileLog, d, fileOldLog, true))
	mustDo(t, l.file.Close())
	l.start, l.oldSize, l.size, l.lost = l.size, l.size, 0, true
	obstacle := filepath.Join(path, fileLog)
	mustDo(t, os.Mkdir(obstacle, 0o700))
	for range 3 {
		if _, err := l.Write([]byte("lost")); err == nil {
			t.Error("was written to nowhere")
		}
	}
	mustDo(t, os.Remove(obstacle))
	_, err = l.Write([]byte("kept"))
	mustDo(t, err)
	if got := readAllLog(t, l, l.tail(-1)); got != "oldkept" {
		t.Errorf("log says %q", got)
	}
}
