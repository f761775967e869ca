package spktool

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm/internal/config"
	"github.com/sandstorm-go/sandstorm/internal/control"
)

// devSocket finds the server to develop on: the one that was named, else one
// beside this program (`make run`), in the current folder, or installed.
//
// Who answers there gets to read all files of the source map, with this user's
// rights. So one that was not named counts only in a directory that no stranger
// can have put there.
func devSocket(named string) (string, error) {
	places := []string{"var", filepath.Dir(config.DefaultFile)}
	if exe, err := os.Executable(); err == nil {
		places = append([]string{filepath.Join(filepath.Dir(exe), "..", "var")}, places...)
	}
	if named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", fmt.Errorf("--server %s: not found: %w", named, err)
		}
		places = []string{named}
	}
	refused := ""
	for _, dir := range places {
		for _, data := range []string{dir, filepath.Join(dir, "var", "sandstorm"), filepath.Join(dir, "var")} {
			socket := control.DevSocket(data)
			if _, err := os.Stat(socket); err != nil && !os.IsPermission(err) {
				continue
			}
			if named != "" || isTrusted(data) {
				return socket, nil
			}
			refused = data
		}
	}
	if refused != "" {
		return "", fmt.Errorf("the server in %s may be somebody else's, who could read your files through it. If you trust it, name it with --server %s", refused, refused)
	}
	return "", fmt.Errorf("no server was found in %s. Start one with “make run” or “sandstorm dev”, or name its data directory with --server DIR",
		strings.Join(places, ", "))
}

// isTrusted reports whether only this user or root can have made a directory
// what it is.
func isTrusted(dir string) bool {
	var it, parent unix.Stat_t
	if unix.Stat(dir, &it) != nil || unix.Stat(filepath.Dir(dir), &parent) != nil {
		return false
	}
	me := uint32(os.Geteuid())
	return isOwn(&it, me) || isOwn(&parent, me)
}

// isOwn reports whether a directory is user's or root's, and no one else can
// change what is in it.
func isOwn(st *unix.Stat_t, user uint32) bool {
	return (st.Uid == user || st.Uid == 0) && st.Mode&0o022 == 0
}
