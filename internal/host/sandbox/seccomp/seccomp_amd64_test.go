package seccomp

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// vm runs the filter as the kernel would. The package's virtual machine loads
// big-endian words, so the vectors are written that way.
type vm struct{ *bpf.VM }

func newVM(t *testing.T) vm {
	t.Helper()
	program, err := compile()
	if err != nil {
		t.Fatal(err)
	}
	m, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	return vm{m}
}

func (m vm) run(t *testing.T, arch, nr uint32, args ...uint64) verdict {
	t.Helper()
	var data [64]byte
	binary.BigEndian.PutUint32(data[offNumber:], nr)
	binary.BigEndian.PutUint32(data[offArch:], arch)
	for i, a := range args {
		binary.BigEndian.PutUint32(data[argLow(i):], uint32(a))
		binary.BigEndian.PutUint32(data[argHigh(i):], uint32(a>>32))
	}
	v, err := m.Run(data[:])
	if err != nil {
		t.Fatal(err)
	}
	return verdict(uint32(v))
}

func (v verdict) String() string {
	switch {
	case v == allow:
		return "allow"
	case v&0xffff0000 == unix.SECCOMP_RET_ERRNO && v&0xffff == verdict(unix.ENOTSUP):
		return "ENOTSUP"
	case v&0xffff0000 == unix.SECCOMP_RET_ERRNO:
		return unix.ErrnoName(unix.Errno(v & 0xffff))
	}
	return fmt.Sprintf("%#x", uint32(v))
}

// testdata/amd64.txt was made from sandbox.md §4.4 without this code: number,
// name and verdict of every system call there is.
func TestEveryCall(t *testing.T) {
	f, err := os.Open("testdata/amd64.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := map[uint32]string{}
	names := map[uint32]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var nr uint32
		var name, v string
		if _, err := fmt.Sscan(lines.Text(), &nr, &name, &v); err != nil {
			t.Fatal(err)
		}
		want[nr], names[nr] = v, name
	}
	if len(want) < 370 {
		t.Fatalf("only %d calls", len(want))
	}
	m := newVM(t)
	for nr := range uint32(2000) {
		w, ok := want[nr]
		if !ok {
			w = "ENOSYS"
		}
		if got := m.run(t, unix.AUDIT_ARCH_X86_64, nr); w != "args" && got.String() != w {
			t.Errorf("%d %s: %v, want %s", nr, names[nr], got, w)
		}
		for _, arch := range []uint32{unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_AARCH64, 0, 0xffffffff} {
			if got := m.run(t, arch, nr); got != fail(unix.ENOSYS) {
				t.Errorf("%d on architecture %#x: %v", nr, arch, got)
			}
		}
		if got := m.run(t, unix.AUDIT_ARCH_X86_64, nr|1<<30); got != fail(unix.ENOSYS) {
			t.Errorf("x32 %d: %v", nr, got)
		}
	}
	for _, nr := range []uint32{1 << 31, 0xffffffff, 0x40000000} {
		if got := m.run(t, unix.AUDIT_ARCH_X86_64, nr); got != fail(unix.ENOSYS) {
			t.Errorf("%#x: %v", nr, got)
		}
	}
}

func TestArguments(t *testing.T) {
	const ok = allow
	high := uint64(1) << 32
	tests := []struct {
		name string
		nr   uint32
		args []uint64
		want verdict
	}{
		{"fork", unix.SYS_CLONE, []uint64{uint64(unix.SIGCHLD)}, ok},
		{"glibc thread", unix.SYS_CLONE, []uint64{0x3d0f00}, ok},
		{"musl thread", unix.SYS_CLONE, []uint64{0x7d0f00}, ok},
		{"Go thread", unix.SYS_CLONE, []uint64{0x50f00}, ok},
		{"posix_spawn", unix.SYS_CLONE, []uint64{0x4111}, ok},
		{"user namespace", unix.SYS_CLONE, []uint64{unix.CLONE_NEWUSER | 17}, fail(unix.EPERM)},
		{"mount namespace", unix.SYS_CLONE, []uint64{unix.CLONE_NEWNS}, fail(unix.EPERM)},
		{"net namespace", unix.SYS_CLONE, []uint64{unix.CLONE_NEWNET}, fail(unix.EPERM)},
		{"pid namespace", unix.SYS_CLONE, []uint64{unix.CLONE_NEWPID}, fail(unix.EPERM)},
		{"cgroup namespace", unix.SYS_CLONE, []uint64{unix.CLONE_NEWCGROUP}, fail(unix.EPERM)},
		{"pidfd", unix.SYS_CLONE, []uint64{unix.CLONE_PIDFD}, fail(unix.EPERM)},
		{"ptrace", unix.SYS_CLONE, []uint64{unix.CLONE_PTRACE}, fail(unix.EPERM)},
		{"clone high word", unix.SYS_CLONE, []uint64{high | 17}, fail(unix.EPERM)},
		{"clone3", unix.SYS_CLONE3, []uint64{0}, fail(unix.ENOSYS)},

		{"TCP", unix.SYS_SOCKET, []uint64{unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK, 0}, ok},
		{"TCP by number", unix.SYS_SOCKET, []uint64{unix.AF_INET6, unix.SOCK_STREAM, 6}, ok},
		{"UDP", unix.SYS_SOCKET, []uint64{unix.AF_INET6, unix.SOCK_DGRAM, 17}, ok},
		{"ping", unix.SYS_SOCKET, []uint64{unix.AF_INET, unix.SOCK_DGRAM, 1}, fail(unix.EPROTONOSUPPORT)},
		{"MPTCP", unix.SYS_SOCKET, []uint64{unix.AF_INET, unix.SOCK_STREAM, 262}, fail(unix.EPROTONOSUPPORT)},
		{"raw", unix.SYS_SOCKET, []uint64{unix.AF_INET, unix.SOCK_RAW, 1}, fail(unix.EACCES)},
		{"DCCP", unix.SYS_SOCKET, []uint64{unix.AF_INET, 6, 0}, fail(unix.EACCES)},
		{"SCTP", unix.SYS_SOCKET, []uint64{unix.AF_INET, unix.SOCK_SEQPACKET, 132}, fail(unix.EACCES)},
		{"unix stream", unix.SYS_SOCKET, []uint64{unix.AF_UNIX, unix.SOCK_STREAM, 0}, ok},
		{"unix seqpacket", unix.SYS_SOCKET, []uint64{unix.AF_UNIX, unix.SOCK_SEQPACKET, 0}, ok},
		{"unix raw", unix.SYS_SOCKET, []uint64{unix.AF_UNIX, unix.SOCK_RAW, 0}, fail(unix.EACCES)},
		{"route netlink", unix.SYS_SOCKET, []uint64{unix.AF_NETLINK, unix.SOCK_RAW | unix.SOCK_CLOEXEC, 0}, ok},
		{"netfilter netlink", unix.SYS_SOCKET, []uint64{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER}, fail(unix.EPROTONOSUPPORT)},
		{"audit netlink", unix.SYS_SOCKET, []uint64{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_AUDIT}, fail(unix.EPROTONOSUPPORT)},
		{"netlink stream", unix.SYS_SOCKET, []uint64{unix.AF_NETLINK, unix.SOCK_STREAM, 0}, fail(unix.EACCES)},
		{"packet", unix.SYS_SOCKET, []uint64{unix.AF_PACKET, unix.SOCK_RAW, 0}, fail(unix.EAFNOSUPPORT)},
		{"vsock", unix.SYS_SOCKET, []uint64{unix.AF_VSOCK, unix.SOCK_STREAM, 0}, fail(unix.EAFNOSUPPORT)},
		{"alg", unix.SYS_SOCKET, []uint64{unix.AF_ALG, unix.SOCK_SEQPACKET, 0}, fail(unix.EAFNOSUPPORT)},
		{"unspec", unix.SYS_SOCKET, []uint64{0, unix.SOCK_STREAM, 0}, fail(unix.EAFNOSUPPORT)},
		{"family high word", unix.SYS_SOCKET, []uint64{high | unix.AF_INET, unix.SOCK_STREAM, 0}, fail(unix.EAFNOSUPPORT)},
		{"type high word", unix.SYS_SOCKET, []uint64{unix.AF_INET, high | unix.SOCK_STREAM, 0}, fail(unix.EACCES)},
		{"protocol high word", unix.SYS_SOCKET, []uint64{unix.AF_INET, unix.SOCK_STREAM, high}, fail(unix.EINVAL)},
		{"pair", unix.SYS_SOCKETPAIR, []uint64{unix.AF_UNIX, unix.SOCK_STREAM, 0}, ok},
		{"vsock pair", unix.SYS_SOCKETPAIR, []uint64{unix.AF_VSOCK, unix.SOCK_STREAM, 0}, fail(unix.EAFNOSUPPORT)},

		{"keepalive", unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_SOCKET, unix.SO_KEEPALIVE}, ok},
		{"nodelay", unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_TCP, unix.TCP_NODELAY}, ok},
		{"v6only", unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_IPV6, 26}, ok},
		{"attach filter", unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_SOCKET, 26}, fail(unix.EPERM)},
		{"attach bpf", unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_SOCKET, 50}, fail(unix.EPERM)},
		{"attach reuseport", unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_SOCKET, 51}, fail(unix.EPERM)},
		{"attach reuseport bpf", unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_SOCKET, 52}, fail(unix.EPERM)},
		{"attach filter, hidden", unix.SYS_SETSOCKOPT, []uint64{3, high | unix.SOL_SOCKET, high | 26}, fail(unix.EPERM)},
		{"TCP_ULP", unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_TCP, 31}, fail(unix.EPERM)},
		{"SOL_SOCKET 31", unix.SYS_SETSOCKOPT, []uint64{3, unix.SOL_SOCKET, 31}, ok},

		{"limit files", unix.SYS_PRLIMIT64, []uint64{0, unix.RLIMIT_NOFILE, 1 << 20}, ok},
		{"read core limit", unix.SYS_PRLIMIT64, []uint64{0, unix.RLIMIT_CORE, 0, 1 << 20}, ok},
		{"limit core", unix.SYS_PRLIMIT64, []uint64{0, unix.RLIMIT_CORE, 1 << 20}, fail(0)},
		{"limit core, low half 0", unix.SYS_PRLIMIT64, []uint64{0, unix.RLIMIT_CORE, high}, fail(0)},
		{"limit core, hidden", unix.SYS_PRLIMIT64, []uint64{0, high | unix.RLIMIT_CORE, 1}, fail(0)},
		{"setrlimit core", unix.SYS_SETRLIMIT, []uint64{high | unix.RLIMIT_CORE, 1}, fail(0)},
		{"setrlimit files", unix.SYS_SETRLIMIT, []uint64{unix.RLIMIT_NOFILE, 1}, ok},

		{"personality query", unix.SYS_PERSONALITY, []uint64{0xffffffff}, ok},
		{"personality 0", unix.SYS_PERSONALITY, []uint64{0}, ok},
		{"no randomisation", unix.SYS_PERSONALITY, []uint64{0x0040000}, fail(unix.ENOSYS)},

		{"FIONREAD", unix.SYS_IOCTL, []uint64{0, 0x541b}, ok},
		{"SIOCGIFCONF", unix.SYS_IOCTL, []uint64{0, 0x8912}, ok},
		{"SIOCGIFINDEX", unix.SYS_IOCTL, []uint64{0, 0x8933}, ok},
		{"SIOCSIFFLAGS", unix.SYS_IOCTL, []uint64{0, 0x8914}, fail(unix.ENOTTY)},
		{"TIOCSTI", unix.SYS_IOCTL, []uint64{0, unix.TIOCSTI}, fail(unix.ENOTTY)},
		{"TIOCLINUX", unix.SYS_IOCTL, []uint64{0, 0x541c}, fail(unix.ENOTTY)},
		{"TCGETS", unix.SYS_IOCTL, []uint64{0, unix.TCGETS}, fail(unix.ENOTTY)},
		{"TIOCSTI, hidden", unix.SYS_IOCTL, []uint64{0, high | unix.TIOCSTI}, fail(unix.EINVAL)},
		{"FIFREEZE", unix.SYS_IOCTL, []uint64{0, 0xc0045877}, fail(unix.EPERM)},
		{"FITHAW", unix.SYS_IOCTL, []uint64{0, 0xc0045878}, fail(unix.EPERM)},
		{"FIEMAP", unix.SYS_IOCTL, []uint64{0, 0xc020660b}, fail(unix.EOPNOTSUPP)},
		{"FICLONE", unix.SYS_IOCTL, []uint64{0, 0x40049409}, fail(unix.EOPNOTSUPP)},
		{"FICLONERANGE", unix.SYS_IOCTL, []uint64{0, 0x4020940d}, fail(unix.EOPNOTSUPP)},
		{"FIDEDUPERANGE", unix.SYS_IOCTL, []uint64{0, 0xc0189436}, fail(unix.EOPNOTSUPP)},
	}
	m := newVM(t)
	for _, test := range tests {
		if got := m.run(t, unix.AUDIT_ARCH_X86_64, test.nr, test.args...); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// Of each list of allowed values, every value from 0 to 4096 is tried.
func TestLists(t *testing.T) {
	m := newVM(t)
	check := func(nr uint32, arg int, other verdict, values ...uint64) {
		t.Helper()
		for v := range uint64(0x9000) {
			want := other
			for _, w := range values {
				if v == w {
					want = allow
				}
			}
			args := make([]uint64, 6)
			args[arg] = v
			if got := m.run(t, unix.AUDIT_ARCH_X86_64, nr, args...); got != want {
				t.Errorf("call %d, value %#x: %v, want %v", nr, v, got, want)
			}
		}
	}
	check(unix.SYS_PRCTL, 0, fail(unix.EINVAL), 1, 2, 3, 4, 15, 16, 23, 29, 30, 36, 37, 38, 39)
	check(unix.SYS_PERSONALITY, 0, fail(unix.ENOSYS), 0)
	check(unix.SYS_IOCTL, 1, fail(unix.ENOTTY), 0x5451, 0x5450, 0x5452, 0x5421, 0x541b, 0x5460,
		0x8910, 0x8912, 0x8913, 0x8915, 0x8919, 0x891b, 0x8921, 0x8927, 0x8933)
	for bit := range 64 {
		want := fail(unix.EPERM)
		if bit < 32 && uint64(0x817dcfff)>>bit&1 == 1 {
			want = allow
		}
		if got := m.run(t, unix.AUDIT_ARCH_X86_64, unix.SYS_CLONE, 1<<bit); got != want {
			t.Errorf("clone bit %d: %v, want %v", bit, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	raw, err := Filter()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d instructions", len(raw))
	if len(raw) > 400 || len(Encode(raw)) != 8*len(raw) {
		t.Errorf("%d instructions", len(raw))
	}
}
