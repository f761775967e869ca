package stage

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
)

// ErrUnsupported is the error of Image on processors for which there is no
// machine code yet.
var ErrUnsupported = errors.New("sandboxes are not supported on this processor architecture, only on amd64")

const (
	codeAddr = 0x400000
	pageSize = 0x1000
	ehdrLen  = 64
	phdrLen  = 56
)

// Image is a static executable that runs program, an encoded Program. If
// program is nil, the executable reads one from the descriptor that its first
// argument names.
func Image(program []byte) ([]byte, error) {
	text, err := code()
	if err != nil {
		return nil, err
	}
	headers := ehdrLen + 3*phdrLen
	progs := []elf.Prog64{
		{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: codeAddr,
			Filesz: uint64(headers + len(text)), Memsz: uint64(headers + len(text)), Align: pageSize,
		},
		// Without this header the kernel would make the stack executable.
		{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16},
	}
	if program != nil {
		progs = append(progs, elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: pageSize, Vaddr: base,
			Filesz: uint64(len(program)), Memsz: uint64(len(program)), Align: pageSize,
		})
	}
	var out bytes.Buffer
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{
			0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT),
		},
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: codeAddr + uint64(headers), Phoff: ehdrLen,
		Ehsize: ehdrLen, Phentsize: phdrLen, Phnum: uint16(len(progs)),
	}
	for _, part := range []any{header, progs} {
		if err := binary.Write(&out, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	out.Write(make([]byte, headers-out.Len()))
	out.Write(text)
	if program != nil {
		out.Write(make([]byte, pageSize-out.Len()))
		out.Write(program)
	}
	return out.Bytes(), nil
}
