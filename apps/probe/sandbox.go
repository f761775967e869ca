package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// environment tells what the app can see of where it runs.
func environment(w http.ResponseWriter, _ *http.Request) {
	mask := syscall.Umask(0)
	syscall.Umask(mask)
	cwd, cwdErr := os.Getwd()
	var names unix.Utsname
	_ = unix.Uname(&names)
	noNewPrivs, nnpErr := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	interfaces, ifErr := net.Interfaces()
	answer(w, map[string]any{
		"run": run, "argv": os.Args, "environ": os.Environ(), "cwd": cwd, "cwdError": text(cwdErr),
		"uid": os.Getuid(), "gid": os.Getgid(), "euid": os.Geteuid(), "pid": os.Getpid(), "ppid": os.Getppid(),
		"umask":    fmt.Sprintf("%04o", mask),
		"hostname": unix.ByteSliceToString(names.Nodename[:]), "domainname": unix.ByteSliceToString(names.Domainname[:]),
		"noNewPrivs": noNewPrivs, "noNewPrivsError": text(nnpErr), "capabilities": capabilities(),
		"rlimits": limits(), "mounts": mounts("/", "/var", "/tmp", "/dev", "/dev/shm", "/dev/null", "/proc", "/proc/cpuinfo", "/etc", "/sys"),
		"list":       map[string]any{"/": list("/"), "/dev": list("/dev"), "/proc": list("/proc"), "/tmp": list("/tmp"), "/var": list("/var"), "/etc": list("/etc")},
		"fds":        openFiles(),
		"interfaces": interfaces, "interfacesError": text(ifErr),
		"cpus": runtime.NumCPU(), "gomaxprocs": runtime.GOMAXPROCS(0),
	})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func capabilities() map[string]any {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	err := unix.Capget(&header, &data[0])
	return map[string]any{
		"effective": data[0].Effective, "permitted": data[0].Permitted, "inheritable": data[0].Inheritable, "error": text(err),
	}
}

func limits() map[string]any {
	out := map[string]any{}
	for name, id := range map[string]int{
		"nofile": unix.RLIMIT_NOFILE, "nproc": unix.RLIMIT_NPROC, "as": unix.RLIMIT_AS, "core": unix.RLIMIT_CORE,
		"fsize": unix.RLIMIT_FSIZE, "memlock": unix.RLIMIT_MEMLOCK, "stack": unix.RLIMIT_STACK,
	} {
		var l unix.Rlimit
		err := unix.Getrlimit(id, &l)
		out[name] = map[string]any{"soft": l.Cur, "hard": l.Max, "error": text(err)}
	}
	return out
}

func mounts(paths ...string) map[string]any {
	out := map[string]any{}
	for _, p := range paths {
		var s unix.Statfs_t
		err := unix.Statfs(p, &s)
		out[p] = map[string]any{
			"type": fmt.Sprintf("%#x", s.Type), "blocks": s.Blocks, "blockSize": s.Bsize, "files": s.Files, "error": text(err),
			"readOnly": s.Flags&unix.ST_RDONLY != 0, "noSuid": s.Flags&unix.ST_NOSUID != 0, "noDev": s.Flags&unix.ST_NODEV != 0, "noExec": s.Flags&unix.ST_NOEXEC != 0,
		}
	}
	return out
}

func list(dir string) any {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	names := []string{}
	for _, e := range entries {
		name := e.Name() + " " + e.Type().String()
		if info, err := e.Info(); err == nil {
			name += fmt.Sprintf(" %v %d", info.Mode(), info.Size())
		}
		names = append(names, name)
	}
	return names
}

// openFiles finds open descriptors one by one: there is no /proc.
func openFiles() []map[string]any {
	var out []map[string]any
	for fd := range 4096 {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil {
			continue
		}
		var s unix.Stat_t
		_ = unix.Fstat(fd, &s)
		out = append(out, map[string]any{"fd": fd, "flags": fmt.Sprintf("%#o", flags), "mode": fmt.Sprintf("%#o", s.Mode), "device": s.Dev, "inode": s.Ino, "rdev": s.Rdev})
	}
	return out
}

func stat(w http.ResponseWriter, r *http.Request) {
	var s unix.Stat_t
	err := unix.Lstat(r.URL.Query().Get("file"), &s)
	answer(w, map[string]any{
		"error": text(err), "mode": fmt.Sprintf("%#o", s.Mode), "uid": s.Uid, "gid": s.Gid, "size": s.Size,
		"device": s.Dev, "inode": s.Ino, "links": s.Nlink, "modified": s.Mtim.Nano(),
	})
}

// systemCall makes the call ?nr= with arguments ?a= (numbers, 0x for hex; @text
// passes a pointer to that text) and tells how it went. It runs in a thread of
// its own that ends afterwards.
func systemCall(w http.ResponseWriter, r *http.Request) {
	nr, err := strconv.ParseUint(r.URL.Query().Get("nr"), 0, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var args [6]uintptr
	var keep [][]byte
	for i, a := range r.URL.Query()["a"] {
		if i >= len(args) {
			break
		}
		if s, ok := strings.CutPrefix(a, "@"); ok {
			b := append([]byte(s), make([]byte, 4096)...)
			keep = append(keep, b)
			args[i] = pointer(b)
			continue
		}
		n, err := strconv.ParseInt(a, 0, 64)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		args[i] = uintptr(n)
	}
	type result struct {
		value uintptr
		errno syscall.Errno
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: whatever the call did ends with the thread
		v, _, errno := syscall.RawSyscall6(uintptr(nr), args[0], args[1], args[2], args[3], args[4], args[5])
		done <- result{v, errno}
	}()
	res := <-done
	runtime.KeepAlive(keep)
	answer(w, map[string]any{"value": int64(res.value), "errno": int(res.errno), "name": unix.ErrnoName(res.errno)})
}

// dial tries ?network= (tcp) to ?address= and says what came of it; ?send= is
// written and the first answer shown.
func dial(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	network := q.Get("network")
	if network == "" {
		network = "tcp"
	}
	c, err := (&net.Dialer{Timeout: 3 * time.Second}).DialContext(r.Context(), network, q.Get("address"))
	if err != nil {
		answer(w, map[string]any{"error": err.Error()})
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(3 * time.Second))
	b := make([]byte, 4096)
	n := 0
	if s := q.Get("send"); s != "" {
		if _, err = io.WriteString(c, s); err == nil {
			n, err = c.Read(b)
		}
	}
	answer(w, map[string]any{"local": c.LocalAddr().String(), "remote": c.RemoteAddr().String(), "received": string(b[:n]), "error": text(err)})
}

// listen opens a second echo server at ?network= ?address= until the app ends.
func listen(w http.ResponseWriter, r *http.Request) {
	network := r.URL.Query().Get("network")
	if network == "" {
		network = "tcp"
	}
	l, err := (&net.ListenConfig{}).Listen(context.WithoutCancel(r.Context()), network, r.URL.Query().Get("address"))
	if err != nil {
		answer(w, map[string]any{"error": err.Error()})
		return
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	answer(w, map[string]any{"address": l.Addr().String()})
}

// execute runs the program in the body (an ELF file or a script) or at ?file=,
// with arguments ?arg=.
func execute(w http.ResponseWriter, r *http.Request) {
	file := r.URL.Query().Get("file")
	if file == "" {
		f, err := os.CreateTemp("", "probe")
		if err == nil {
			_, err = io.Copy(f, r.Body)
			_ = f.Chmod(0o700)
			f.Close()
			defer os.Remove(f.Name())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		file = f.Name()
	}
	out, err := exec.CommandContext(r.Context(), file, r.URL.Query()["arg"]...).CombinedOutput()
	answer(w, map[string]any{"output": string(out), "base64": base64.StdEncoding.EncodeToString(out), "error": text(err)})
}

// crash ends the app: by ?signal= (a number), ?panic=1, or with status ?code=.
func crash(_ http.ResponseWriter, r *http.Request) {
	if s := number(r, "signal", 0); s != 0 {
		signal.Reset()
		_ = syscall.Kill(os.Getpid(), syscall.Signal(s))
		time.Sleep(time.Second)
		os.Exit(99) // PID 1 of a namespace does not hear most of its own signals
	}
	if r.URL.Query().Get("panic") != "" {
		go panic("asked for")
		select {}
	}
	os.Exit(int(number(r, "code", 1)))
}

// writeLog writes ?text= or ?bytes= of filler to standard error.
func writeLog(w http.ResponseWriter, r *http.Request) {
	if s := r.URL.Query().Get("text"); s != "" {
		log.Print(s)
	}
	line := strings.Repeat("log ", 24) + "log\n"
	for n := number(r, "bytes", 0); n > 0; n -= int64(len(line)) {
		if _, err := os.Stderr.WriteString(line); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	_, _ = io.WriteString(w, "logged\n")
}

var kept [][]byte

// memory takes ?bytes= and never gives them back.
func memory(w http.ResponseWriter, r *http.Request) {
	b := make([]byte, number(r, "bytes", 1<<20))
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	kept = append(kept, b)
	fmt.Fprintf(w, "%d blocks\n", len(kept))
}
