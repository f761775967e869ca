package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Leftovers lists what a server, its host or its grains left running or lying
// around although all were stopped: processes, mounts, sockets, temporary files.
func (s *Server) Leftovers() (found []string) {
	s.T.Helper()
	mark := filepath.Base(s.dir)
	for _, pid := range processes() {
		if pid == os.Getpid() || zombie(pid) {
			continue
		}
		if how := traces(pid, mark); how != "" {
			found = append(found, fmt.Sprintf("process %d: %s", pid, how))
		}
	}
	for _, file := range []string{"/proc/self/mountinfo", "/proc/net/unix"} {
		b, err := os.ReadFile(file)
		if err != nil {
			s.T.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, mark) {
				found = append(found, file+": "+strings.TrimSpace(line))
			}
		}
	}
	for _, dir := range []string{"tmp", "socket"} {
		entries, err := os.ReadDir(filepath.Join(s.Data, dir))
		if err != nil {
			s.T.Fatal(err)
		}
		for _, e := range entries {
			found = append(found, dir+"/"+e.Name())
		}
	}
	return found
}

// Processes are the ids of those that this server's files are part of: itself,
// its host and its grains.
func (s *Server) Processes() (pids []int) {
	for _, pid := range processes() {
		if pid != os.Getpid() && !zombie(pid) && traces(pid, filepath.Base(s.dir)) != "" {
			pids = append(pids, pid)
		}
	}
	return pids
}

func processes() (pids []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// traces says how a process has to do with the directory of that name.
func traces(pid int, mark string) string {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	for _, link := range []string{"exe", "cwd", "root"} {
		if to, err := os.Readlink(filepath.Join(proc, link)); err == nil && strings.Contains(to, mark) {
			return link + " " + to
		}
	}
	for _, file := range []string{"cmdline", "mountinfo"} {
		if b, err := os.ReadFile(filepath.Join(proc, file)); err == nil && bytes.Contains(b, []byte(mark)) {
			return file + fmt.Sprintf(" %.300q", b)
		}
	}
	fds, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return "" // it ended meanwhile
	}
	for _, fd := range fds {
		if to, err := os.Readlink(filepath.Join(proc, "fd", fd.Name())); err == nil && strings.Contains(to, mark) {
			return "fd " + to
		}
	}
	return ""
}

// zombie reports whether a process ended and only its entry is left.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, ok := strings.Cut(string(b), ") ")
	return ok && strings.HasPrefix(state, "Z")
}

// Status reads the fields of /proc/PID/status.
func Status(pid int) (map[string]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			fields[name] = strings.Join(strings.Fields(value), " ")
		}
	}
	return fields, nil
}
