package rootfs

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"slices"
	"strings"
)

// object is what a program or library asks of the dynamic linker.
type object struct {
	interp string   // the dynamic linker; empty for libraries
	needed []string // names of libraries
	search []string // DT_RPATH or DT_RUNPATH, not expanded
}

// Bounds for files that are malformed on purpose.
const (
	maxSegments = 512
	maxDynamic  = 1 << 16 // bytes, 4096 entries
	maxNeeded   = 1024
	maxString   = 4096
)

// readObject reads what the dynamic linker would: the segments, as the table of
// sections may be stripped. It is nil for everything but programs and libraries
// for 64-bit x86, also for malformed ones.
func readObject(r io.ReaderAt) *object {
	var h elf.Header64
	if !readAt(r, 0, &h) || !bytes.HasPrefix(h.Ident[:], []byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB)}) {
		return nil
	}
	if elf.Machine(h.Machine) != elf.EM_X86_64 || elf.Type(h.Type) != elf.ET_EXEC && elf.Type(h.Type) != elf.ET_DYN {
		return nil
	}
	if h.Phnum > maxSegments || h.Phentsize != 56 {
		return nil
	}
	segments := make([]elf.Prog64, h.Phnum)
	if !readAt(r, h.Phoff, segments) {
		return nil
	}
	o := &object{}
	for _, s := range segments {
		switch elf.ProgType(s.Type) {
		case elf.PT_INTERP:
			o.interp = stringAt(r, s.Off, s.Filesz)
		case elf.PT_DYNAMIC:
			if s.Filesz > maxDynamic || !o.dynamic(r, s, segments) {
				return nil
			}
		}
	}
	return o
}

func (o *object) dynamic(r io.ReaderAt, s elf.Prog64, segments []elf.Prog64) bool {
	entries := make([]elf.Dyn64, s.Filesz/16)
	if !readAt(r, s.Off, entries) {
		return false
	}
	if end := slices.IndexFunc(entries, func(e elf.Dyn64) bool { return elf.DynTag(e.Tag) == elf.DT_NULL }); end >= 0 {
		entries = entries[:end]
	}
	var table, size uint64
	for _, e := range entries {
		switch elf.DynTag(e.Tag) {
		case elf.DT_STRTAB:
			table = e.Val
		case elf.DT_STRSZ:
			size = e.Val
		}
	}
	offset, ok := fileOffset(table, segments)
	var rpath, runpath string
	for _, e := range entries {
		tag := elf.DynTag(e.Tag)
		if tag != elf.DT_NEEDED && tag != elf.DT_RPATH && tag != elf.DT_RUNPATH {
			continue
		}
		if !ok || e.Val >= size {
			return false
		}
		text := stringAt(r, offset+e.Val, size-e.Val)
		switch tag {
		case elf.DT_NEEDED:
			if o.needed = append(o.needed, text); len(o.needed) > maxNeeded {
				return false
			}
		case elf.DT_RPATH:
			rpath = text
		case elf.DT_RUNPATH:
			runpath = text
		}
	}
	if runpath == "" {
		runpath = rpath // which otherwise does not count (ld.so(8))
	}
	if runpath != "" {
		o.search = strings.Split(runpath, ":")
	}
	return true
}

// fileOffset finds where in the file an address is.
func fileOffset(addr uint64, segments []elf.Prog64) (uint64, bool) {
	for _, s := range segments {
		if elf.ProgType(s.Type) == elf.PT_LOAD && addr >= s.Vaddr && addr-s.Vaddr < s.Filesz {
			return s.Off + addr - s.Vaddr, true
		}
	}
	return 0, false
}

// readAt fills what into points to; it reports whether the file has that much.
func readAt(r io.ReaderAt, offset uint64, into any) bool {
	if offset > 1<<62 {
		return false
	}
	return binary.Read(io.NewSectionReader(r, int64(offset), int64(binary.Size(into))), binary.LittleEndian, into) == nil
}

// stringAt reads a string up to its NUL byte. It is empty if there is none.
func stringAt(r io.ReaderAt, offset, size uint64) string {
	if offset > 1<<62 {
		return ""
	}
	b := make([]byte, min(size, maxString))
	n, _ := r.ReadAt(b, int64(offset))
	if end := bytes.IndexByte(b[:n], 0); end >= 0 {
		return string(b[:end])
	}
	return ""
}
