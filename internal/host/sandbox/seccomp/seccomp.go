// Package seccomp is the system-call filter of grains (sandbox.md §4.4): one
// table of what is allowed, compiled to a BPF program that finds a call by
// binary search. What the table does not name does not exist: ENOSYS, which is
// what libraries expect of an old kernel and fall back from.
package seccomp

import (
	"errors"

	"golang.org/x/net/bpf"
)

// ErrUnsupported is the error of Filter on processors without a table.
var ErrUnsupported = errors.New("no system-call table for this processor architecture")

// Filter is the program for the kernel on this processor.
func Filter() ([]bpf.RawInstruction, error) {
	program, err := compile()
	if err != nil {
		return nil, err
	}
	return bpf.Assemble(program)
}

// Encode writes a program as the array of struct sock_filter that the kernel
// takes, in the byte order of this (little-endian) processor.
func Encode(program []bpf.RawInstruction) []byte {
	out := make([]byte, 0, 8*len(program))
	for _, i := range program {
		out = append(out, byte(i.Op), byte(i.Op>>8), i.Jt, i.Jf,
			byte(i.K), byte(i.K>>8), byte(i.K>>16), byte(i.K>>24))
	}
	return out
}
