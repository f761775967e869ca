//go:build linux

package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"golang.org/x/sys/unix"
)

// Attach finds a grain again that an earlier host process started. It is
// NotFound if that process has ended; the start time makes sure that it is not
// another one with the same id.
func (l *Launcher) Attach(pid int, start uint64) (*Process, error) {
	gone := func(why string, err error) error {
		return sandstorm.Errorf(sandstorm.NotFound, "grain.not-running", "process %d: %s: %w", pid, why, err)
	}
	if pid <= 1 {
		return nil, gone("attach", unix.ESRCH)
	}
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, gone("open", err)
	}
	pidfd := pollable(fd)
	// From here on the id can be reused only if the process has ended, which
	// the start time and the last check tell.
	now, err := startTime(pid)
	if err == nil && now != start {
		err = fmt.Errorf("started at %d, not %d: %w", now, start, unix.ESRCH)
	}
	if err == nil && !isInit(pid) {
		err = fmt.Errorf("not the first process of a grain: %w", unix.ESRCH)
	}
	if err != nil {
		_ = pidfd.Close()
		return nil, gone("look", err)
	}
	net, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if ended(fd) {
		closeAll(pidfd, net)
		return nil, gone("look", unix.ESRCH)
	}
	if err != nil {
		_ = pidfd.Close()
		return nil, sandstorm.Errorf(sandstorm.Unavailable, "grain.attach",
			"network namespace of process %d (is CAP_SYS_PTRACE missing?): %w", pid, err)
	}
	p := &Process{l: l, pid: pid, pidfd: pidfd, net: net, done: make(chan struct{})}
	p.startOnce.Do(func() { p.start = start })
	go p.watch()
	return p, nil
}

// startTime reads field 22 of /proc/PID/stat: clock ticks since boot.
func startTime(pid int) (uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field is a name in parentheses that may contain anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const field = 22 - 3 // counted from the third
	if len(fields) <= field {
		return 0, unix.EBADMSG
	}
	return strconv.ParseUint(fields[field], 10, 64)
}

// isInit reports whether a process is number 1 of a PID namespace below ours.
func isInit(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if ids, ok := strings.CutPrefix(line, "NSpid:"); ok {
			list := strings.Fields(ids)
			return len(list) > 1 && list[len(list)-1] == "1"
		}
	}
	return false
}
