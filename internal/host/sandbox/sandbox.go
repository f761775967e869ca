//go:build linux

// Package sandbox runs one app in a box of Linux namespaces, with the view of
// the world that sandbox.md §2 promises and the system calls of §4.4.
//
// How a grain starts, in order: start.go collects what the box is made of
// (mounts.go: trees of files as descriptors; netns.go: a ready network
// namespace); program.go writes down the system calls that build the box from
// them; spawn.go forks and executes grain-init, which makes those calls (package
// stage) in a mount namespace without any of the host's files (room.go), starts
// the app and remains as the first process of the grain's PID namespace.
//
// There is no process on the host's side for a grain, and a grain does not
// notice when the host process ends: it can be found again with Attach.
package sandbox

import (
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/seccomp"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/stage"
	"golang.org/x/sys/unix"
)

// Tier is what kind of machine the sandboxes are built on.
type Tier string

const (
	// TierRoot is the machine's real root: each grain can have ids of its own.
	TierRoot Tier = "root"
	// TierUser is root of a user namespace that an ordinary user made: all
	// grains have the user's ids outside, which are 0 inside of it.
	TierUser Tier = "userns"
)

// Options are the dependencies of a Launcher.
type Options struct {
	Log *slog.Logger // default: discard
}

// Launcher starts and finds grains. There is one in a host process; all methods
// may be called concurrently.
type Launcher struct {
	log     *slog.Logger
	tier    Tier
	filter  []byte // struct sock_filter array
	lastCap int
	proc    *os.File // /proc of the host, as a place only
	room    *room
	nets    *netPool
	sockets *socketThread
	closing sync.Once
}

// New prepares what all grains share. The process
// must be the machine's root or the root of a user namespace that also owns its
// mount and network namespaces (ReexecInUserNamespace).
func New(opts Options) (*Launcher, error) {
	l := &Launcher{log: opts.Log, tier: CurrentTier()}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if err := l.prepare(); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *Launcher) prepare() error {
	filter, err := seccomp.Filter()
	if err != nil {
		return err
	}
	l.filter = seccomp.Encode(filter)
	init, err := stage.Image(nil)
	if err != nil {
		return err
	}
	if l.lastCap, err = lastCapability(); err != nil {
		return startError("read the kernel's list of capabilities", err)
	}
	if l.proc, err = openPath("/proc", unix.O_DIRECTORY); err != nil {
		return startError("open /proc", err)
	}
	if l.room, err = newRoom(init); err != nil {
		return err
	}
	if l.sockets, err = newSocketThread(l.log); err != nil {
		return err
	}
	l.nets, err = newNetPool(l.log)
	return err
}

// Tier says what kind of machine this is.
func (l *Launcher) Tier() Tier { return l.tier }

// Close gives up the launcher's threads. Grains go on; their Processes keep
// reporting their end, but can no longer be dialled.
func (l *Launcher) Close() {
	l.closing.Do(func() {
		if l.nets != nil {
			l.nets.close()
		}
		if l.sockets != nil {
			l.sockets.close()
		}
		if l.room != nil {
			l.room.close()
		}
		closeAll(l.proc)
	})
}

// CurrentTier tells the machine's root, with the privileges that it needs, from
// everybody else. For an ordinary user it is what New will find after
// ReexecInUserNamespace.
func CurrentTier() Tier {
	var inside, outside, count uint32
	text, err := os.ReadFile("/proc/self/uid_map")
	if err == nil {
		_, err = fmt.Sscan(string(text), &inside, &outside, &count)
	}
	// The initial user namespace maps all ids to themselves, others never do.
	if err == nil && inside == 0 && outside == 0 && count == 1<<32-1 && !NeedsUserNamespace() {
		return TierRoot
	}
	return TierUser
}

func lastCapability() (int, error) {
	var n int
	text, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err == nil {
		_, err = fmt.Sscan(string(text), &n)
	}
	if err == nil && (n < 0 || n > 63) {
		err = unix.ERANGE
	}
	return n, err
}

// openPath opens a descriptor that names a place without giving access.
func openPath(path string, flags int) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC|flags, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}
