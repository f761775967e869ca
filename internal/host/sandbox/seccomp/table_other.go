//go:build !amd64

package seccomp

import "golang.org/x/net/bpf"

func compile() ([]bpf.Instruction, error) { return nil, ErrUnsupported }
