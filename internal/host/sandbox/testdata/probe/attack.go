package main

import (
	"errors"
	"os"
	"os/exec"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errName is the symbolic name of an error, "" for none.
func errName(err error) string {
	var errno unix.Errno
	switch {
	case err == nil:
		return ""
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	}
	return err.Error()
}

func call(nr uintptr, args ...uintptr) string {
	var a [6]uintptr
	copy(a[:], args)
	_, _, errno := unix.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	if errno == 0 {
		return ""
	}
	return unix.ErrnoName(errno)
}

func ptr[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

func text(s string) uintptr { return ptr(&append([]byte(s), 0)[0]) }

// attack makes the calls of sandbox.md §4.3 and their kin.
func attack() map[string]string {
	out := map[string]string{}
	clone3 := struct{ flags, pidfd, child, parent, signal, stack, size, tls uint64 }{
		flags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET, signal: 17,
	}
	out["clone3 newuser"] = call(unix.SYS_CLONE3, ptr(&clone3), unsafe.Sizeof(clone3))
	out["clone newuser"] = call(unix.SYS_CLONE, unix.CLONE_NEWUSER|17)
	out["clone newnet"] = call(unix.SYS_CLONE, unix.CLONE_NEWNET|17)
	out["unshare"] = call(unix.SYS_UNSHARE, unix.CLONE_NEWUSER)
	out["setns"] = call(unix.SYS_SETNS, 0, 0)
	out["fsopen"] = call(unix.SYS_FSOPEN, text("tmpfs"), 0)
	out["fsmount"] = call(unix.SYS_FSMOUNT, 0, 0, 0)
	out["move_mount"] = call(unix.SYS_MOVE_MOUNT, 0, 0, 0, 0, 0)
	out["open_tree"] = call(unix.SYS_OPEN_TREE, 0, text("/"), 1)
	out["mount_setattr"] = call(unix.SYS_MOUNT_SETATTR, 0, text("/"), 0, 0, 0)
	out["mount"] = call(unix.SYS_MOUNT, text("none"), text("/tmp"), text("tmpfs"), 0, 0)
	out["umount2"] = call(unix.SYS_UMOUNT2, text("/tmp"), 2)
	out["pivot_root"] = call(unix.SYS_PIVOT_ROOT, text("."), text("."))
	out["chroot"] = call(unix.SYS_CHROOT, text("/var"))
	out["io_uring_setup"] = call(unix.SYS_IO_URING_SETUP, 8, 0)
	out["io_uring_enter"] = call(unix.SYS_IO_URING_ENTER, 0, 0, 0, 0)
	out["io_uring_register"] = call(unix.SYS_IO_URING_REGISTER, 0, 0, 0, 0)
	out["pidfd_open"] = call(unix.SYS_PIDFD_OPEN, 1, 0)
	out["pidfd_getfd"] = call(unix.SYS_PIDFD_GETFD, 0, 0, 0)
	out["pidfd_send_signal"] = call(unix.SYS_PIDFD_SEND_SIGNAL, 0, 9, 0, 0)
	out["process_vm_readv"] = call(unix.SYS_PROCESS_VM_READV, 1, 0, 0, 0, 0, 0)
	out["process_vm_writev"] = call(unix.SYS_PROCESS_VM_WRITEV, 1, 0, 0, 0, 0, 0)
	out["process_madvise"] = call(unix.SYS_PROCESS_MADVISE, 0, 0, 0, 0, 0)
	out["kcmp"] = call(unix.SYS_KCMP, 1, 1, 0, 0, 0)
	out["ptrace"] = call(unix.SYS_PTRACE, unix.PTRACE_ATTACH, 1, 0, 0)
	out["userfaultfd"] = call(unix.SYS_USERFAULTFD, 0)
	out["bpf"] = call(unix.SYS_BPF, 0, 0, 0)
	out["perf_event_open"] = call(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, 0, 0)
	out["keyctl"] = call(unix.SYS_KEYCTL, 0, 0)
	out["add_key"] = call(unix.SYS_ADD_KEY, 0, 0, 0, 0)
	out["request_key"] = call(unix.SYS_REQUEST_KEY, 0, 0, 0, 0)
	out["seccomp"] = call(unix.SYS_SECCOMP, 0, 0, 0)
	out["landlock"] = call(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, 1)
	out["memfd_secret"] = call(unix.SYS_MEMFD_SECRET, 0)
	out["modify_ldt"] = call(unix.SYS_MODIFY_LDT, 0, 0, 0)
	out["open_by_handle_at"] = call(unix.SYS_OPEN_BY_HANDLE_AT, 0, 0, 0)
	out["name_to_handle_at"] = call(unix.SYS_NAME_TO_HANDLE_AT, 0, 0, 0, 0, 0)
	out["fanotify_init"] = call(unix.SYS_FANOTIFY_INIT, 0, 0)
	out["syslog"] = call(unix.SYS_SYSLOG, 10, 0, 0)
	out["quotactl"] = call(unix.SYS_QUOTACTL, 0, 0, 0, 0)
	out["io_setup"] = call(unix.SYS_IO_SETUP, 1, 0)
	out["vmsplice"] = call(unix.SYS_VMSPLICE, 0, 0, 0, 0)
	out["mbind"] = call(unix.SYS_MBIND, 0, 0, 0, 0, 0, 0)
	out["swapon"] = call(unix.SYS_SWAPON, text("/var/swap"), 0)
	out["reboot"] = call(unix.SYS_REBOOT, 0, 0, 0, 0)
	out["sethostname"] = call(unix.SYS_SETHOSTNAME, text("evil"), 4)
	out["unknown"] = call(9999)
	out["x32"] = call(0x40000000 | unix.SYS_GETPID)
	out["setxattr"] = call(unix.SYS_SETXATTR, text("/var"), text("user.x"), text("y"), 1, 0)
	out["personality"] = call(unix.SYS_PERSONALITY, 0x0040000)
	out["prctl seccomp"] = call(unix.SYS_PRCTL, unix.PR_SET_SECCOMP, 1)
	out["TIOCSTI"] = call(unix.SYS_IOCTL, 0, unix.TIOCSTI, text("x"))
	socket := func(name string, family, kind, protocol uintptr) {
		out["socket "+name] = call(unix.SYS_SOCKET, family, kind, protocol)
	}
	socket("packet", unix.AF_PACKET, unix.SOCK_RAW, 0)
	socket("vsock", unix.AF_VSOCK, unix.SOCK_STREAM, 0)
	socket("alg", unix.AF_ALG, unix.SOCK_SEQPACKET, 0)
	socket("raw", unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	socket("dccp", unix.AF_INET, 6, 33)
	socket("netfilter", unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER)
	socket("generic netlink", unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_GENERIC)
	return out
}

// try does what the file system, ids and processes must refuse or allow.
func try() map[string]string {
	out := map[string]string{}
	write := func(path string) {
		out["write "+path] = errName(os.WriteFile(path, []byte("x"), 0o777))
	}
	for _, path := range []string{"/evil", "/probe", "/dev/evil", "/dev/null", "/var/new", "/tmp/new", "/dev/shm/new", "/proc/cpuinfo", "/proc/evil"} {
		write(path)
	}
	out["touch /dev/null"] = errName(unix.UtimesNano("/dev/null", []unix.Timespec{{Sec: 1}, {Sec: 1}}))
	out["touch now /dev/null"] = errName(unix.Utimes("/dev/null", nil))
	for _, path := range []string{"/var/tool", "/tmp/tool", "/dev/shm/tool"} {
		data, _ := os.ReadFile("/probe")
		err := os.WriteFile(path, data, 0o777)
		if err == nil {
			err = exec.Command(path, "exit", "0").Run()
		}
		out["run "+path] = errName(err)
		_ = os.Remove(path)
	}
	out["mknod"] = errName(unix.Mknod("/var/mem", unix.S_IFCHR|0o600, 1<<8|1))
	out["mkfifo"] = errName(unix.Mkfifo("/var/fifo", 0o600))
	out["read /proc/self/mem"] = errName(open("/proc/self/mem"))
	out["read /sys"] = errName(open("/sys"))
	out["read /dev/.."] = errName(open("/../../etc/passwd"))
	out["kill 1"] = errName(unix.Kill(1, unix.SIGKILL))
	out["term 1"] = errName(unix.Kill(1, unix.SIGTERM))
	out["stop 1"] = errName(unix.Kill(1, unix.SIGSTOP))
	out["kill 3"] = errName(unix.Kill(999, 0))
	out["setuid 0"] = errName(unix.Setresuid(0, 0, 0))
	out["setuid own"] = errName(unix.Setresuid(1000, 1000, 1000))
	out["setgid 0"] = errName(unix.Setresgid(0, 0, 0))
	out["chown"] = errName(os.Chown("/var", 0, 0))
	out["setrlimit"] = errName(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 5000, Max: 5000}))
	out["low port"] = errName(lowPort())
	setuid := "/var/setuid"
	data, _ := os.ReadFile("/probe")
	_ = os.WriteFile(setuid, data, 0o700)
	out["chmod setuid"] = errName(os.Chmod(setuid, os.ModeSetuid|0o755))
	_ = os.Remove(setuid)
	return out
}

// bomb forks until it is stopped, but not so often as to hurt a machine on which
// nothing stops it.
func bomb() map[string]any {
	const enough = 3000
	for n := range enough {
		pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		if errno != 0 {
			return map[string]any{"children": n, "error": unix.ErrnoName(errno)}
		}
		for pid == 0 {
			_, _, _ = unix.RawSyscall(unix.SYS_PAUSE, 0, 0, 0)
		}
	}
	return map[string]any{"children": enough, "error": ""}
}

// limits tries to get out of the limits that the platform sets.
func limits() map[string]any {
	out := map[string]any{}
	core := unix.Rlimit{}
	out["prlimit core"] = errName(unix.Prlimit(0, unix.RLIMIT_CORE, &core, nil))
	out["setrlimit core"] = call(unix.SYS_SETRLIMIT, unix.RLIMIT_CORE, ptr(&core))
	out["prlimit core of init"] = errName(unix.Prlimit(1, unix.RLIMIT_CORE, &core, nil))
	_ = unix.Prlimit(0, unix.RLIMIT_CORE, nil, &core)
	out["core"] = []uint64{core.Cur, core.Max}
	out["more processes"] = errName(unix.Prlimit(0, unix.RLIMIT_NPROC, &unix.Rlimit{Cur: 5000, Max: 5000}, nil))
	out["fewer files"] = errName(unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 500, Max: 4096}, nil))
	return out
}

func open(path string) error {
	f, err := os.Open(path)
	if err == nil {
		_ = f.Close()
	}
	return err
}

func lowPort() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Bind(fd, &unix.SockaddrInet4{Port: 80, Addr: [4]byte{127, 0, 0, 1}})
}
