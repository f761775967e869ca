package seccomp

import (
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data of a little-endian machine.
const (
	offNumber = 0
	offArch   = 4
	offArgs   = 16
)

func argLow(n int) uint32  { return uint32(offArgs + 8*n) }
func argHigh(n int) uint32 { return uint32(offArgs + 8*n + 4) }

// A verdict is what the filter returns for a call.
type verdict uint32

const allow = verdict(unix.SECCOMP_RET_ALLOW)

func fail(e unix.Errno) verdict { return verdict(unix.SECCOMP_RET_ERRNO | uint32(e)) }

func ret(v verdict) bpf.Instruction { return bpf.RetConstant{Val: uint32(v)} }

// A rule decides about one call: by a fixed verdict, or by a block of
// instructions that looks at its arguments and always returns.
type rule struct {
	verdict verdict
	block   string // key into the table's blocks, or ""
}

// span is a run of call numbers from first up to the next span's first that
// share a rule.
type span struct {
	first uint32
	rule  rule
}

// table is what a processor architecture's filter is made of.
type table struct {
	arch   uint32
	calls  map[uint32]rule
	blocks map[string][]bpf.Instruction
}

// compile lays out: check of the architecture, search tree, leaves, argument
// blocks. Leaves are shared, one for each rule: a program half as long is
// installed in half the time, and that is part of each start of a grain.
func (t *table) compile() []bpf.Instruction {
	out := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: t.arch, SkipTrue: 1},
		ret(fail(unix.ENOSYS)),
		bpf.LoadAbsolute{Off: offNumber, Size: 4},
	}
	spans := t.spans()
	leaves := leavesOf(spans)
	treeEnd := len(out) + len(spans) - 1
	at := make(map[rule]int, len(leaves))
	for i, r := range leaves {
		at[r] = treeEnd + i
	}
	out = tree(out, spans, at)
	start := treeEnd + len(leaves)
	for _, r := range leaves {
		if r.block == "" {
			out = append(out, ret(r.verdict))
			continue
		}
		out = append(out, bpf.Jump{Skip: uint32(start - len(out) - 1)})
		start += len(t.blocks[r.block])
	}
	for _, r := range leaves {
		out = append(out, t.blocks[r.block]...)
	}
	return out
}

// leavesOf lists the different rules of spans, always in the same order.
func leavesOf(spans []span) []rule {
	var out []rule
	for _, s := range spans {
		if !slices.Contains(out, s.rule) {
			out = append(out, s.rule)
		}
	}
	return out
}

// spans cuts the whole range of call numbers into runs of one rule each.
// Numbers with bit 30 (the x32 ABI) lie in the last one, which is ENOSYS.
func (t *table) spans() []span {
	none := rule{verdict: fail(unix.ENOSYS)}
	last := uint32(0)
	for nr := range t.calls {
		last = max(last, nr)
	}
	spans := []span{}
	for nr := uint32(0); nr <= last+1; nr++ {
		r, ok := t.calls[nr]
		if !ok {
			r = none
		}
		if len(spans) == 0 || spans[len(spans)-1].rule != r {
			spans = append(spans, span{nr, r})
		}
	}
	return spans
}

// tree appends the search for the span of the number in the accumulator: one
// comparison for each border between spans. A comparison reaches 255
// instructions ahead, which a tree of up to 240 spans keeps to.
func tree(out []bpf.Instruction, spans []span, leaves map[rule]int) []bpf.Instruction {
	mid := len(spans) / 2
	low, high := spans[:mid], spans[mid:]
	here := len(out)
	lowAt, highAt := here+1, here+len(low)
	if len(low) == 1 {
		lowAt = leaves[low[0].rule]
	}
	if len(high) == 1 {
		highAt = leaves[high[0].rule]
	}
	out = append(out, bpf.JumpIf{
		Cond: bpf.JumpGreaterOrEqual, Val: high[0].first,
		SkipTrue: skip(here, highAt), SkipFalse: skip(here, lowAt),
	})
	if len(low) > 1 {
		out = tree(out, low, leaves)
	}
	if len(high) > 1 {
		out = tree(out, high, leaves)
	}
	return out
}

// skip is the distance from the instruction at here to the one at there.
func skip(here, there int) uint8 {
	n := there - here - 1
	if n < 0 || n > 255 {
		panic("seccomp: table too large for 8-bit jumps")
	}
	return uint8(n)
}
