//go:build linux

package sandbox

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Ids of an app as it sees itself, unless its Config says others.
const (
	appUID = 1000
	appGID = 1000
)

// maxCommand bounds the bytes of argv and environment together: they come from
// the package.
const maxCommand = 1 << 20

// Config describes one grain to start. The caller keeps all files and may close
// them once Start has returned.
type Config struct {
	// Root is the directory of the unpacked package. It is read-only in the box.
	Root string
	// OpenRoot, if set, is used instead of Root: it returns a private, read-only
	// clone of the mount of a package that this process cannot name by a path.
	OpenRoot func() (*os.File, error)
	// Proc mounts the grain's own processes at /proc, if the package has that
	// directory: for development only (sandbox.md §6, CVE-2016-5195).
	Proc bool
	// Var is the grain's persistent directory, /var in the box.
	Var string
	// HostUID and HostGID are what the app's ids are outside, as this process
	// sees them: in TierUser 0, the only ids there are; in TierRoot never 0.
	HostUID, HostGID int
	// AppUID and AppGID are what the app's ids are inside; 0 means 1000.
	AppUID, AppGID int
	// Program is the file to execute, without a search; empty means Argv[0].
	Program string
	// Argv and Env are what the program gets.
	Argv, Env []string
	// Log is the app's standard output and error.
	Log *os.File
	// API, if set, is the app's descriptor 3 (raw Cap'n Proto apps).
	API *os.File
	// Keep are files that grain-init holds open as long as the grain lives, so
	// that a lock or a pipe outlives this process. The app cannot reach them.
	Keep []*os.File
	// Port is where the app is going to listen. For information only.
	Port int
	// CgroupFD, if positive, is an open cgroup v2 directory that all processes
	// of the grain belong to from their birth.
	CgroupFD int
}

func (c *Config) program() string {
	if c.Program != "" {
		return c.Program
	}
	return c.Argv[0]
}

// inside is the app's ids as it sees them.
func (c *Config) inside() (uid, gid int) {
	if c.AppUID > 0 && c.AppGID > 0 {
		return c.AppUID, c.AppGID
	}
	return appUID, appGID
}

// check refuses what must never be started.
func (c *Config) check(tier Tier) error {
	switch {
	case len(c.Argv) == 0 || c.Argv[0] == "":
		return startErrorHint("read the command", unix.EINVAL, "the package's command is empty")
	case c.Log == nil:
		return startError("open the log", unix.EBADF)
	case tier == TierRoot && (c.HostUID <= 0 || c.HostGID <= 0):
		return startErrorHint("choose a user id", unix.EPERM, "an app must not run as the machine's root")
	case tier == TierUser && (c.HostUID != 0 || c.HostGID != 0):
		return startErrorHint("choose a user id", unix.EINVAL, "without root there is only one user id, 0 inside the namespace")
	case len(c.Keep) > 16:
		return startError("keep descriptors", unix.EMFILE)
	}
	size := 0
	for _, list := range [][]string{{c.program()}, c.Argv, c.Env} {
		for _, s := range list {
			size += len(s) + 9 // the pointer and the zero byte
			if strings.IndexByte(s, 0) >= 0 {
				return startErrorHint("read the command", unix.EINVAL, "the package's command contains a zero byte")
			}
		}
	}
	if size > maxCommand {
		return startErrorHint("read the command", unix.E2BIG, "the package's command or its environment is too long")
	}
	return nil
}
