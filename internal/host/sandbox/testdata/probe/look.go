package main

import (
	"net"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

type mountView struct {
	Flags  int64
	Type   int64
	Bytes  uint64
	Inodes uint64
}

type view struct {
	IDs        [6]int
	Groups     []int
	Caps       [6]uint32
	Bounding   int
	NoNewPrivs int
	Dumpable   int
	Files      [2]uint64
	Env, Args  []string
	Cwd        string
	Host       string
	Domain     string
	Umask      int
	FDs        map[int]string
	Handlers   int
	Blocked    uint64
	PID, PPID  int
	Mounts     map[string]mountView
	Lists      map[string][]string
	Interfaces map[string][]string
	Network    map[string]string
	TTY        string
}

func look() view {
	v := view{
		Env: os.Environ(), Args: os.Args, PID: os.Getpid(), PPID: os.Getppid(),
		FDs: map[int]string{}, Mounts: map[string]mountView{}, Lists: map[string][]string{},
		Interfaces: map[string][]string{}, Network: map[string]string{},
	}
	v.IDs[0], v.IDs[1], v.IDs[2] = unix.Getresuid()
	v.IDs[3], v.IDs[4], v.IDs[5] = unix.Getresgid()
	v.Groups, _ = unix.Getgroups()
	privileges(&v)
	v.Cwd, _ = os.Getwd()
	var uts unix.Utsname
	_ = unix.Uname(&uts)
	v.Host, v.Domain = unix.ByteSliceToString(uts.Nodename[:]), unix.ByteSliceToString(uts.Domainname[:])
	v.Umask = unix.Umask(0)
	unix.Umask(v.Umask)
	for _, path := range []string{"/", "/var", "/tmp", "/dev", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/shm", "/proc/cpuinfo"} {
		var st unix.Statfs_t
		if unix.Statfs(path, &st) == nil {
			v.Mounts[path] = mountView{st.Flags, int64(st.Type), st.Blocks * uint64(st.Bsize), st.Files}
		}
	}
	for _, dir := range []string{"/", "/dev", "/proc", "/var", "/tmp", "/etc"} {
		v.Lists[dir], _ = names(dir)
	}
	network(&v)
	_, err := os.Open("/dev/tty")
	v.TTY = errName(err)
	return v
}

func names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	out := []string{}
	for _, e := range entries {
		out = append(out, filepath.Base(e.Name()))
	}
	return out, err
}

func privileges(v *view) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	_ = unix.Capget(&header, &data[0])
	v.Caps = [6]uint32{
		data[0].Effective, data[0].Permitted, data[0].Inheritable,
		data[1].Effective, data[1].Permitted, data[1].Inheritable,
	}
	for c := range 64 {
		if n, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0); err == nil && n == 1 {
			v.Bounding++
		}
	}
	v.NoNewPrivs, _ = unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	v.Dumpable, _ = unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	var limit unix.Rlimit
	// Go raises the soft limit of its own process; the parent's is untouched,
	// but not ours to read. The shell test looks at the soft one.
	_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	v.Files = [2]uint64{limit.Cur, limit.Max}
	for fd := range 5000 {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil {
			link := "other"
			switch st.Mode & unix.S_IFMT {
			case unix.S_IFIFO:
				link = "fifo"
			case unix.S_IFREG:
				link = "file"
			case unix.S_IFCHR:
				link = "char"
			case unix.S_IFSOCK:
				link = "socket"
			case unix.S_IFDIR:
				link = "dir"
			}
			v.FDs[fd] = link
		}
	}
	_, _, _ = unix.Syscall6(unix.SYS_RT_SIGPROCMASK, 0, 0, uintptr(unsafe.Pointer(&v.Blocked)), 8, 0, 0)
}

func network(v *view) {
	list, err := net.Interfaces()
	v.Network["interfaces"] = errName(err)
	for _, i := range list {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			v.Interfaces[i.Name] = append(v.Interfaces[i.Name], a.String())
		}
		v.Interfaces[i.Name] = append(v.Interfaces[i.Name], i.Flags.String())
	}
	for name, addr := range map[string]unix.Sockaddr{
		"1.1.1.1":  &unix.SockaddrInet4{Port: 80, Addr: [4]byte{1, 1, 1, 1}},
		"10.0.0.1": &unix.SockaddrInet4{Port: 80, Addr: [4]byte{10, 0, 0, 1}},
		"2000::1":  &unix.SockaddrInet6{Port: 80, Addr: [16]byte{0x20, 15: 1}},
		"abstract": &unix.SockaddrUnix{Name: "@sandstorm-test"},
	} {
		family := unix.AF_INET
		switch addr.(type) {
		case *unix.SockaddrInet6:
			family = unix.AF_INET6
		case *unix.SockaddrUnix:
			family = unix.AF_UNIX
		}
		fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
		if err == nil {
			err = unix.Connect(fd, addr)
			_ = unix.Close(fd)
		}
		v.Network[name] = errName(err)
	}
}
