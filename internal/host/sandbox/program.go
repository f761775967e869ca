//go:build linux

package sandbox

import (
	"encoding/binary"
	"fmt"
	"os"

	"github.com/sandstorm-go/sandstorm/internal/host/sandbox/stage"
	"golang.org/x/sys/unix"
)

// Descriptors of grain-init. The app gets the first three, and API if there is
// one; the first of Config.Keep follows the program.
const (
	fdNull = iota
	fdOut
	fdErr
	fdAPI
	fdStatus
	fdProgram
	fdInit
	fdKeep
)

// initName is what the first process of a grain is called in lists of processes.
const initName = "grain-init"

// Limits of every app (sandbox.md §2, §11).
const (
	softFiles = 1024
	hardFiles = 4096
	// maxTasks bounds the processes and threads of one grain, or a fork bomb
	// would take all numbers that the machine has for processes. The kernel
	// counts in the grain's own user namespace, so that grains do not share it
	// even where they share a user.
	maxTasks = 1024
	// coreSize is the one limit at which the kernel neither writes a core dump
	// nor hands one to the machine's collector, a program that runs as root
	// outside of the grain (core(5)). With 0 it would still do the latter.
	coreSize = 1
)

const appUmask = 0o007

// atCWD is AT_FDCWD as an argument.
const atCWD = 1<<64 - 100

// builder writes the program of one grain-init together with the descriptors
// that it uses.
type builder struct {
	*stage.Program
	l     *Launcher
	c     *Config
	t     *trees
	files []uintptr
	proc  stage.Slot // the /proc that is to be mounted, if any
}

// newBuilder lays out the descriptors: those that stay, then those that are
// closed before the app starts.
func newBuilder(l *Launcher, c *Config, t *trees, null, status *os.File) *builder {
	b := &builder{Program: stage.New(fdStatus), l: l, c: c, t: t}
	api := c.API
	if api == nil {
		api = null
	}
	// The program itself follows when it is complete.
	for _, f := range append([]*os.File{null, c.Log, c.Log, api, status, null, l.room.init}, c.Keep...) {
		b.fd(f)
	}
	return b
}

// fd adds a descriptor and returns its number in grain-init.
func (b *builder) fd(f *os.File) uint64 {
	b.files = append(b.files, rawFD(f))
	return uint64(len(b.files) - 1)
}

// build writes all steps. The order is that of sandbox.md §11: everything that
// needs privileges over the host's namespaces first, the user namespace as the
// last of the namespaces, the filter last of all.
func (b *builder) build(net *os.File) {
	temporary := uint64(len(b.files))
	proc, room, netFD, root := b.fd(b.l.proc), b.fd(b.l.room.ns), b.fd(net), b.fd(b.t.root)
	mounts := b.mountFDs()
	b.process(uint64(len(b.files)))
	if b.c.Proc && b.t.proc != nil {
		b.newProc()
	}
	b.Call("enter the room", unix.SYS_SETNS, room, unix.CLONE_NEWNS)
	b.Call(stepMountNS, unix.SYS_UNSHARE, unix.CLONE_NEWNS)
	b.Call("enter the network namespace", unix.SYS_SETNS, netFD, unix.CLONE_NEWNET)
	b.mounts(root, mounts)
	b.names()
	b.identity(proc, uint64(len(b.files)))
	b.Call("close descriptors", unix.SYS_CLOSE_RANGE, temporary, 1<<32-1, 0)
	b.Call("close descriptors", unix.SYS_CLOSE_RANGE, fdProgram, fdInit, 0)
	b.limitTasks()
	b.capabilities()
	// The app gets no descriptor but its own.
	first := uint64(fdStatus)
	if b.c.API == nil {
		b.Call("close descriptors", unix.SYS_CLOSE, fdAPI)
	}
	b.Call("close descriptors", unix.SYS_CLOSE_RANGE, first, 1<<32-1, unix.CLOSE_RANGE_CLOEXEC)
	// The app has grain-init's ids; it must not be able to trace it.
	b.Call("protect grain-init", unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0)
	b.seccomp()
	b.Spawn(stepExecute, b.c.program(), b.c.Argv, b.c.Env)
	b.Reap()
}

// process sets what a process inherits from its parent. unused is the first
// descriptor that is not ours: this process may have been given some by others.
func (b *builder) process(unused uint64) {
	b.Call("set no_new_privs", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1)
	b.Call("set the name", unix.SYS_PRCTL, unix.PR_SET_NAME, b.String(initName))
	b.Call("close descriptors", unix.SYS_CLOSE_RANGE, unused, 1<<32-1, 0)
	b.Call("leave the session", unix.SYS_SETSID)
	b.Call("set umask", unix.SYS_UMASK, appUmask)
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil || limit.Max > hardFiles {
		limit.Max = hardFiles
	}
	b.limit("limit open files", unix.RLIMIT_NOFILE, min(softFiles, limit.Max), limit.Max)
	b.limit("forbid core dumps", unix.RLIMIT_CORE, coreSize, coreSize)
	// execve keeps ignored signals ignored, and nohup may have set some.
	deflt := b.Bytes(make([]byte, 32)) // struct sigaction: SIG_DFL
	for sig := uint64(1); sig <= 64; sig++ {
		if sig != uint64(unix.SIGKILL) && sig != uint64(unix.SIGSTOP) {
			b.Call("reset signals", unix.SYS_RT_SIGACTION, sig, deflt, 0, 8)
		}
	}
	b.Call("reset signals", unix.SYS_RT_SIGPROCMASK, 2 /* SIG_SETMASK */, deflt, 0, 8)
}

// limit sets a resource limit of the process and its children.
func (b *builder) limit(step string, resource, soft, hard uint64) {
	limits := binary.LittleEndian.AppendUint64(nil, soft)
	limits = binary.LittleEndian.AppendUint64(limits, hard)
	b.Call(step, unix.SYS_PRLIMIT64, 0, resource, b.Bytes(limits))
}

// limitTasks bounds processes and threads. It comes after the user namespace was
// made, which would inherit the limit as that of all its users together.
func (b *builder) limitTasks() {
	hard := uint64(maxTasks)
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NPROC, &limit) == nil {
		hard = min(hard, limit.Max)
	}
	b.limit("limit processes", unix.RLIMIT_NPROC, hard, hard)
}

// mountFDs adds the descriptors of all mount points that the package has.
func (b *builder) mountFDs() map[*os.File]uint64 {
	out := make(map[*os.File]uint64, 5)
	for _, f := range []*os.File{b.t.data, b.t.tmp, b.t.dev, b.t.varDir, b.t.proc} {
		if f != nil {
			out[f] = b.fd(f)
		}
	}
	return out
}

// mounts makes the package the root and mounts the rest in it. Mount points are
// descriptors that were resolved without following links.
func (b *builder) mounts(root uint64, fd map[*os.File]uint64) {
	const fromFD, toFD = unix.MOVE_MOUNT_F_EMPTY_PATH, unix.MOVE_MOUNT_T_EMPTY_PATH
	empty := b.String("")
	b.Call("mount the package", unix.SYS_MOVE_MOUNT, root, empty, atCWD, b.String("/"), fromFD)
	// Absolute paths still begin in the room, below the package.
	if f := b.t.dev; f != nil {
		b.Call("mount /dev", unix.SYS_MOVE_MOUNT, atCWD, b.String(roomDev), fd[f], empty, toFD)
	}
	if f := b.t.proc; f != nil && b.c.Proc {
		b.CallOn(b.proc, stepProc, unix.SYS_MOVE_MOUNT, empty, fd[f], empty, fromFD|toFD)
		b.CallOn(b.proc, stepProc, unix.SYS_CLOSE)
	} else if f != nil {
		b.Call("mount /proc/cpuinfo", unix.SYS_MOVE_MOUNT, atCWD, b.String(roomCPUInfo), fd[f], empty, toFD)
	}
	b.Call("enter the package", unix.SYS_FCHDIR, root)
	b.Call("enter the package", unix.SYS_CHROOT, b.String("."))
	if f := b.t.varDir; f != nil {
		b.Call("mount /var", unix.SYS_MOVE_MOUNT, fd[b.t.data], empty, fd[f], empty, fromFD|toFD)
	}
	if f := b.t.tmp; f != nil {
		b.Call("mount /tmp", unix.SYS_FCHDIR, fd[f])
		b.tmpfs("mount /tmp")
	}
	if b.t.dev != nil {
		b.Call("mount /dev/shm", unix.SYS_CHDIR, b.String("/dev/shm"))
		b.tmpfs("mount /dev/shm")
	}
	b.Call("enter the package", unix.SYS_CHDIR, b.String("/"))
}

// tmpfs mounts a temporary file system of the app's own on the working directory.
func (b *builder) tmpfs(step string) {
	options := fmt.Sprintf("size=16m,nr_inodes=4k,mode=770,uid=%d,gid=%d", b.c.HostUID, b.c.HostGID)
	kind := b.String("tmpfs")
	b.Call(step, unix.SYS_MOUNT, kind, b.String("."), kind, unix.MS_NOSUID|unix.MS_NODEV, b.String(options))
}

func (b *builder) names() {
	const name = "sandbox"
	b.Call("set host name", unix.SYS_SETHOSTNAME, b.String(name), uint64(len(name)))
	b.Call("set host name", unix.SYS_SETDOMAINNAME, b.String(name), uint64(len(name)))
}
