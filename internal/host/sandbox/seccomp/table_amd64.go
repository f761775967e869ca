package seccomp

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Calls that x/sys/unix does not name yet.
const (
	sysSetxattrat    = 463
	sysRemovexattrat = 466
)

func compile() ([]bpf.Instruction, error) {
	t := table{arch: unix.AUDIT_ARCH_X86_64, calls: calls(), blocks: blocks()}
	return t.compile(), nil
}

// calls is the whole policy by number; a call that is not here is ENOSYS. Of
// those, clone3 matters most: its flags lie in user memory where a filter
// cannot see them, and libraries fall back to clone only on ENOSYS.
func calls() map[uint32]rule {
	out := make(map[uint32]rule)
	put := func(r rule, numbers ...[]uint32) {
		for _, list := range numbers {
			for _, nr := range list {
				out[nr] = r
			}
		}
	}
	put(rule{verdict: allow}, files, descriptors, memory, processes, identity, timers, signals, sockets, ipc, scheduling)
	for nr, block := range byArgument {
		put(rule{block: block}, []uint32{nr})
	}
	put(rule{verdict: fail(unix.EPERM)}, []uint32{unix.SYS_PTRACE, unix.SYS_CHROOT, unix.SYS_MOUNT})
	xattrs := []uint32{}
	for nr := uint32(unix.SYS_SETXATTR); nr <= unix.SYS_FREMOVEXATTR; nr++ {
		xattrs = append(xattrs, nr)
	}
	for nr := uint32(sysSetxattrat); nr <= sysRemovexattrat; nr++ {
		xattrs = append(xattrs, nr)
	}
	// Tools that copy attributes take ENOTSUP for "this file system has none".
	put(rule{verdict: fail(unix.ENOTSUP)}, xattrs)
	return out
}

var byArgument = map[uint32]string{
	unix.SYS_CLONE:       "clone",
	unix.SYS_IOCTL:       "ioctl",
	unix.SYS_PERSONALITY: "personality",
	unix.SYS_PRCTL:       "prctl",
	unix.SYS_PRLIMIT64:   "prlimit",
	unix.SYS_SETRLIMIT:   "setrlimit",
	unix.SYS_SETSOCKOPT:  "setsockopt",
	unix.SYS_SOCKET:      "socket",
	unix.SYS_SOCKETPAIR:  "socket",
}

var files = []uint32{
	unix.SYS_ACCESS, unix.SYS_CHDIR, unix.SYS_CHMOD, unix.SYS_CHOWN, unix.SYS_CREAT, unix.SYS_FACCESSAT,
	unix.SYS_FACCESSAT2, unix.SYS_FCHDIR, unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2,
	unix.SYS_FCHOWN, unix.SYS_FCHOWNAT, unix.SYS_FSTAT, unix.SYS_FSTATFS, unix.SYS_FUTIMESAT,
	unix.SYS_GETCWD, unix.SYS_GETDENTS, unix.SYS_GETDENTS64, unix.SYS_INOTIFY_ADD_WATCH,
	unix.SYS_INOTIFY_INIT, unix.SYS_INOTIFY_INIT1, unix.SYS_INOTIFY_RM_WATCH, unix.SYS_LCHOWN,
	unix.SYS_LINK, unix.SYS_LINKAT, unix.SYS_LSTAT, unix.SYS_MKDIR, unix.SYS_MKDIRAT, unix.SYS_MKNOD,
	unix.SYS_MKNODAT, unix.SYS_NEWFSTATAT, unix.SYS_OPEN, unix.SYS_OPENAT, unix.SYS_OPENAT2,
	unix.SYS_READLINK, unix.SYS_READLINKAT, unix.SYS_RENAME, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2,
	unix.SYS_RMDIR, unix.SYS_STAT, unix.SYS_STATFS, unix.SYS_STATX, unix.SYS_SYMLINK, unix.SYS_SYMLINKAT,
	unix.SYS_SYNC, unix.SYS_SYNCFS, unix.SYS_TRUNCATE, unix.SYS_UMASK, unix.SYS_UNLINK, unix.SYS_UNLINKAT,
	unix.SYS_UTIME, unix.SYS_UTIMENSAT, unix.SYS_UTIMES,
}

var descriptors = []uint32{
	unix.SYS_CLOSE, unix.SYS_CLOSE_RANGE, unix.SYS_COPY_FILE_RANGE, unix.SYS_DUP, unix.SYS_DUP2,
	unix.SYS_DUP3, unix.SYS_EPOLL_CREATE, unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL,
	unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2, unix.SYS_EPOLL_WAIT, unix.SYS_EVENTFD, unix.SYS_EVENTFD2,
	unix.SYS_FADVISE64, unix.SYS_FALLOCATE, unix.SYS_FCNTL, unix.SYS_FDATASYNC, unix.SYS_FLOCK,
	unix.SYS_FSYNC, unix.SYS_FTRUNCATE, unix.SYS_LSEEK, unix.SYS_MEMFD_CREATE, unix.SYS_PIPE,
	unix.SYS_PIPE2, unix.SYS_POLL, unix.SYS_PPOLL, unix.SYS_PREAD64, unix.SYS_PREADV, unix.SYS_PREADV2,
	unix.SYS_PSELECT6, unix.SYS_PWRITE64, unix.SYS_PWRITEV, unix.SYS_PWRITEV2, unix.SYS_READ,
	unix.SYS_READAHEAD, unix.SYS_READV, unix.SYS_SELECT, unix.SYS_SENDFILE, unix.SYS_SPLICE,
	unix.SYS_SYNC_FILE_RANGE, unix.SYS_TEE, unix.SYS_WRITE, unix.SYS_WRITEV,
}

var memory = []uint32{
	unix.SYS_BRK, unix.SYS_MADVISE, unix.SYS_MINCORE, unix.SYS_MLOCK, unix.SYS_MLOCK2, unix.SYS_MLOCKALL,
	unix.SYS_MMAP, unix.SYS_MPROTECT, unix.SYS_MREMAP, unix.SYS_MSYNC, unix.SYS_MUNLOCK,
	unix.SYS_MUNLOCKALL, unix.SYS_MUNMAP,
}

var processes = []uint32{
	unix.SYS_ARCH_PRCTL, unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	unix.SYS_FORK, unix.SYS_FUTEX, unix.SYS_FUTEX_REQUEUE, unix.SYS_FUTEX_WAIT, unix.SYS_FUTEX_WAITV,
	unix.SYS_FUTEX_WAKE, unix.SYS_GETRANDOM, unix.SYS_GETRLIMIT, unix.SYS_GETRUSAGE, unix.SYS_MEMBARRIER,
	unix.SYS_RSEQ, unix.SYS_SET_ROBUST_LIST,
	unix.SYS_SET_TID_ADDRESS, unix.SYS_SYSINFO, unix.SYS_UNAME, unix.SYS_VFORK, unix.SYS_WAIT4,
	unix.SYS_WAITID,
}

// identity includes setting ids, because servers set their own once more;
// there is no other id that a grain could take.
var identity = []uint32{
	unix.SYS_CAPGET, unix.SYS_GETEGID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETGROUPS,
	unix.SYS_GETPGID, unix.SYS_GETPGRP, unix.SYS_GETPID, unix.SYS_GETPPID, unix.SYS_GETRESGID,
	unix.SYS_GETRESUID, unix.SYS_GETSID, unix.SYS_GETTID, unix.SYS_GETUID, unix.SYS_SETFSGID,
	unix.SYS_SETFSUID, unix.SYS_SETGID, unix.SYS_SETGROUPS, unix.SYS_SETPGID, unix.SYS_SETREGID,
	unix.SYS_SETRESGID, unix.SYS_SETRESUID, unix.SYS_SETREUID, unix.SYS_SETSID, unix.SYS_SETUID,
}

var timers = []uint32{
	unix.SYS_ALARM, unix.SYS_CLOCK_GETRES, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_NANOSLEEP,
	unix.SYS_GETITIMER, unix.SYS_GETTIMEOFDAY, unix.SYS_NANOSLEEP, unix.SYS_SETITIMER, unix.SYS_TIME,
	unix.SYS_TIMERFD_CREATE, unix.SYS_TIMERFD_GETTIME, unix.SYS_TIMERFD_SETTIME, unix.SYS_TIMER_CREATE,
	unix.SYS_TIMER_DELETE, unix.SYS_TIMER_GETOVERRUN, unix.SYS_TIMER_GETTIME, unix.SYS_TIMER_SETTIME,
	unix.SYS_TIMES,
}

// signals includes restart_syscall, without which sleeps and polls return
// ENOSYS after a grain was frozen and thawed.
var signals = []uint32{
	unix.SYS_KILL, unix.SYS_PAUSE, unix.SYS_RESTART_SYSCALL, unix.SYS_RT_SIGACTION,
	unix.SYS_RT_SIGPENDING, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_SIGRETURN,
	unix.SYS_RT_SIGSUSPEND, unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_SIGALTSTACK, unix.SYS_SIGNALFD,
	unix.SYS_SIGNALFD4, unix.SYS_TGKILL, unix.SYS_TKILL,
}

var sockets = []uint32{
	unix.SYS_ACCEPT, unix.SYS_ACCEPT4, unix.SYS_BIND, unix.SYS_CONNECT, unix.SYS_GETPEERNAME,
	unix.SYS_GETSOCKNAME, unix.SYS_GETSOCKOPT, unix.SYS_LISTEN, unix.SYS_RECVFROM, unix.SYS_RECVMMSG,
	unix.SYS_RECVMSG, unix.SYS_SENDMMSG, unix.SYS_SENDMSG, unix.SYS_SENDTO, unix.SYS_SHUTDOWN,
}

// ipc is System V's (PostgreSQL needs it) and POSIX's. Both end at the grain's
// own IPC namespace.
var ipc = []uint32{
	unix.SYS_MQ_GETSETATTR, unix.SYS_MQ_NOTIFY, unix.SYS_MQ_OPEN, unix.SYS_MQ_TIMEDRECEIVE,
	unix.SYS_MQ_TIMEDSEND, unix.SYS_MQ_UNLINK, unix.SYS_MSGCTL, unix.SYS_MSGGET, unix.SYS_MSGRCV,
	unix.SYS_MSGSND, unix.SYS_SEMCTL, unix.SYS_SEMGET, unix.SYS_SEMOP, unix.SYS_SEMTIMEDOP,
	unix.SYS_SHMAT, unix.SYS_SHMCTL, unix.SYS_SHMDT, unix.SYS_SHMGET,
}

var scheduling = []uint32{
	unix.SYS_GETCPU, unix.SYS_GETPRIORITY, unix.SYS_IOPRIO_GET, unix.SYS_IOPRIO_SET,
	unix.SYS_SCHED_GETAFFINITY, unix.SYS_SCHED_GETPARAM, unix.SYS_SCHED_GETSCHEDULER,
	unix.SYS_SCHED_GET_PRIORITY_MAX, unix.SYS_SCHED_GET_PRIORITY_MIN, unix.SYS_SCHED_RR_GET_INTERVAL,
	unix.SYS_SCHED_SETAFFINITY, unix.SYS_SCHED_SETPARAM, unix.SYS_SCHED_SETSCHEDULER,
	unix.SYS_SCHED_YIELD, unix.SYS_SETPRIORITY,
}
