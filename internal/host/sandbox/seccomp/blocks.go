package seccomp

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// cloneFlags are those that threads and plain children need, CLONE_DETACHED of
// old musl among them; no namespaces, no ptrace, no pidfd.
const cloneFlags = 0x817dcfff

// oneOf returns yes if the 32 bits at off are one of values, else falls through.
func oneOf(off uint32, yes verdict, values ...uint32) []bpf.Instruction {
	return append([]bpf.Instruction{bpf.LoadAbsolute{Off: off, Size: 4}}, isOneOf(yes, values...)...)
}

// isOneOf is oneOf for what the accumulator holds already.
func isOneOf(yes verdict, values ...uint32) []bpf.Instruction {
	var out []bpf.Instruction
	last := len(values) - 1
	for _, v := range values[:last] {
		out = append(out, bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: uint8(last - len(out))})
	}
	return append(out, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: values[last], SkipTrue: 1}, ret(yes))
}

// need goes on if the 32 bits at off, and-ed with mask, are one of values, else
// returns otherwise.
func need(off, mask uint32, otherwise verdict, values ...uint32) []bpf.Instruction {
	out := []bpf.Instruction{bpf.LoadAbsolute{Off: off, Size: 4}}
	if mask != 0xffffffff {
		out = append(out, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
	}
	for i, v := range values {
		out = append(out, bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: uint8(len(values) - i)})
	}
	return append(out, ret(otherwise))
}

func join(parts ...[]bpf.Instruction) []bpf.Instruction {
	var out []bpf.Instruction
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

const all = 0xffffffff

// blocks are the rules that look at arguments. Where the kernel takes an int,
// it drops the upper half of the register; rules that allow check that it is
// empty where the table says so, rules that deny ignore it.
func blocks() map[string][]bpf.Instruction {
	return map[string][]bpf.Instruction{
		"clone": join(
			need(argHigh(0), all, fail(unix.EPERM), 0),
			need(argLow(0), ^uint32(cloneFlags), fail(unix.EPERM), 0),
			[]bpf.Instruction{ret(allow)},
		),
		"ioctl":       ioctlBlock(),
		"personality": join(oneOf(argLow(0), allow, 0, 0xffffffff), []bpf.Instruction{ret(fail(unix.ENOSYS))}),
		"prctl": join(
			oneOf(argLow(0), allow,
				unix.PR_SET_PDEATHSIG, unix.PR_GET_PDEATHSIG, unix.PR_GET_DUMPABLE, unix.PR_SET_DUMPABLE,
				unix.PR_SET_NAME, unix.PR_GET_NAME, unix.PR_CAPBSET_READ, unix.PR_SET_TIMERSLACK,
				unix.PR_GET_TIMERSLACK, unix.PR_SET_CHILD_SUBREAPER, unix.PR_GET_CHILD_SUBREAPER,
				unix.PR_SET_NO_NEW_PRIVS, unix.PR_GET_NO_NEW_PRIVS),
			[]bpf.Instruction{ret(fail(unix.EINVAL))},
		),
		// The limit of core dumps stays at the value at which the kernel makes
		// none: lowered to 0 it would let an app feed the machine's collector.
		// Apps that lower it are told that it worked, because it has no core
		// dumps that it wanted.
		"setrlimit": join(oneOf(argLow(0), fail(0), unix.RLIMIT_CORE), []bpf.Instruction{ret(allow)}),
		"prlimit": {
			bpf.LoadAbsolute{Off: argLow(1), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.RLIMIT_CORE, SkipTrue: 5},
			bpf.LoadAbsolute{Off: argLow(2), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 2},
			bpf.LoadAbsolute{Off: argHigh(2), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
			ret(fail(0)), // there is a new limit
			ret(allow),
		},
		"setsockopt": setsockoptBlock(),
		"socket":     socketBlock(),
	}
}

// ioctlBlock allows what works on any descriptor and what reads the addresses
// of network interfaces. The rest, terminals above all (TIOCSTI), answers as if
// the descriptor were no device.
func ioctlBlock() []bpf.Instruction {
	return join(
		need(argHigh(1), all, fail(unix.EINVAL), 0),
		oneOf(argLow(1), allow,
			0x5451, 0x5450, 0x5452, 0x5421, 0x541b, 0x5460, // FIOCLEX FIONCLEX FIOASYNC FIONBIO FIONREAD FIOQSIZE
			unix.SIOCGIFNAME, unix.SIOCGIFCONF, unix.SIOCGIFFLAGS, unix.SIOCGIFADDR, unix.SIOCGIFBRDADDR,
			unix.SIOCGIFNETMASK, unix.SIOCGIFMTU, unix.SIOCGIFHWADDR, unix.SIOCGIFINDEX),
		isOneOf(fail(unix.EPERM), 0xc0045877, 0xc0045878), // FIFREEZE FITHAW
		isOneOf(fail(unix.EOPNOTSUPP),
			0xc020660b, unix.FICLONE, unix.FICLONERANGE, unix.FIDEDUPERANGE), // the first is FIEMAP
		[]bpf.Instruction{ret(fail(unix.ENOTTY))},
	)
}

// setsockoptBlock denies attaching programs to sockets and protocols on top of
// TCP (kernel TLS).
func setsockoptBlock() []bpf.Instruction {
	socket := oneOf(argLow(2), fail(unix.EPERM),
		unix.SO_ATTACH_FILTER, unix.SO_ATTACH_BPF, unix.SO_ATTACH_REUSEPORT_CBPF, unix.SO_ATTACH_REUSEPORT_EBPF)
	tcp := oneOf(argLow(2), fail(unix.EPERM), unix.TCP_ULP)
	return join(
		[]bpf.Instruction{
			bpf.LoadAbsolute{Off: argLow(1), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOL_SOCKET, SkipTrue: 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOL_TCP, SkipTrue: uint8(len(socket) + 1), SkipFalse: uint8(len(socket) + 1 + len(tcp))},
		},
		socket, []bpf.Instruction{ret(allow)},
		tcp, []bpf.Instruction{ret(allow)},
	)
}

// socketBlock lists the families, types and protocols that there are, for
// socket and socketpair. NETLINK only as protocol 0 (routing), because
// getifaddrs needs it.
func socketBlock() []bpf.Instruction {
	const typeMask = 0xf // the rest of a type is SOCK_NONBLOCK and SOCK_CLOEXEC
	family, kind, protocol := fail(unix.EAFNOSUPPORT), fail(unix.EACCES), fail(unix.EPROTONOSUPPORT)
	internet := join(
		need(argLow(2), all, protocol, 0, unix.IPPROTO_TCP, unix.IPPROTO_UDP),
		[]bpf.Instruction{ret(allow)},
	)
	inet := need(argLow(1), typeMask, kind, unix.SOCK_STREAM, unix.SOCK_DGRAM)
	local := append(
		need(argLow(1), typeMask, kind, unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_SEQPACKET),
		bpf.Jump{Skip: uint32(len(inet))},
	)
	netlink := join(
		need(argLow(1), typeMask, kind, unix.SOCK_RAW, unix.SOCK_DGRAM),
		need(argLow(2), all, protocol, unix.NETLINK_ROUTE),
		[]bpf.Instruction{ret(allow)},
	)
	return join(
		need(argHigh(0), all, family, 0),
		need(argHigh(1), all, kind, 0),
		need(argHigh(2), all, fail(unix.EINVAL), 0),
		[]bpf.Instruction{
			bpf.LoadAbsolute{Off: argLow(0), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET, SkipTrue: uint8(4 + len(local))},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET6, SkipTrue: uint8(3 + len(local))},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_UNIX, SkipTrue: 2},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_NETLINK, SkipTrue: uint8(1 + len(local) + len(inet) + len(internet))},
			ret(family),
		},
		local, inet, internet, netlink,
	)
}
