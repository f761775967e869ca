package spk

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
)

// archivePlan is an Archive message that is written without being held in
// memory. A builder would need the whole archive there; but all its offsets
// follow from the names and sizes of the files.
//
// The layout is one segment: after each list of File structs come, for each
// child in turn, its name and its content, where a directory's content is again
// such a list.
type archivePlan struct {
	root    *Node
	words   int64 // of the segment
	size    int64 // of the framed message in bytes
	content int64 // bytes of all files
	nodes   int
}

const fileWords = 4 // a File: two words of data, two pointers

// planArchive checks the tree and computes its size.
func planArchive(root *Node) (*archivePlan, error) {
	p := &archivePlan{root: root}
	if err := root.prepare("", 0, &p.nodes); err != nil {
		return nil, err
	}
	p.words = 2 + p.listWords(root) // root pointer, Archive struct
	p.size = 8 + 8*p.words
	if p.size > MaxArchive {
		return nil, fmt.Errorf("pack: unpacked the package would have %d bytes, but at most %d are allowed: leave files out", p.size, MaxArchive)
	}
	return p, nil
}

// listWords is the size of a directory's list with all that hangs on it.
func (p *archivePlan) listWords(dir *Node) int64 {
	n := int64(1 + fileWords*len(dir.children)) // tag word, structs
	for _, c := range dir.children {
		if c.kind == kindRegular || c.kind == kindExecutable {
			p.content += c.size
		}
		n += words(int64(len(c.Name))+1) + p.contentWords(c)
	}
	return n
}

func (p *archivePlan) contentWords(n *Node) int64 {
	switch n.kind {
	case kindDirectory:
		return p.listWords(n)
	case kindSymlink:
		return words(int64(len(n.target)) + 1)
	default:
		return words(n.size)
	}
}

func words(bytes int64) int64 { return (bytes + 7) / 8 }

// writeTo writes the framed message.
func (p *archivePlan) writeTo(ctx context.Context, w io.Writer) error {
	buf := bufio.NewWriterSize(w, 1<<20)
	out := &archiveWriter{ctx: ctx, w: buf}
	binary.LittleEndian.PutUint32(out.word[4:], uint32(p.words)) // one segment
	out.write(out.word[:])
	out.uint64(1 << 48)                 // root: struct with one pointer, right here
	out.listPointer(0, p.root.children) // Archive.files
	if err := out.list(p.root); err != nil {
		return err
	}
	if out.err == nil {
		out.err = buf.Flush()
	}
	if out.err != nil {
		return fmt.Errorf("pack: %w", out.err)
	}
	return nil
}

// archiveWriter writes words; the first error sticks.
type archiveWriter struct {
	ctx  context.Context // of the one call to writeTo
	w    io.Writer
	word [8]byte
	err  error
}

func (w *archiveWriter) write(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
}

func (w *archiveWriter) uint64(v uint64) {
	binary.LittleEndian.PutUint64(w.word[:], v)
	w.write(w.word[:])
}

func (w *archiveWriter) pad(n int64) {
	clear(w.word[:])
	w.write(w.word[:-n&7])
}

// listPointer points to a list of Files, offset words after the pointer.
func (w *archiveWriter) listPointer(offset int64, files []*Node) {
	const composite = 7
	w.uint64(1 | uint64(offset)<<2 | composite<<32 | uint64(fileWords*len(files))<<35)
}

// bytesPointer points to n bytes, offset words after the pointer.
func (w *archiveWriter) bytesPointer(offset, n int64) {
	const byteSize = 2
	w.uint64(1 | uint64(offset)<<2 | byteSize<<32 | uint64(n)<<35)
}

func (w *archiveWriter) text(s string) {
	w.write([]byte(s))
	w.write([]byte{0})
	w.pad(int64(len(s)) + 1)
}

// list writes a directory's list: tag, structs, then what they point to.
func (w *archiveWriter) list(dir *Node) error {
	n := int64(len(dir.children))
	w.uint64(uint64(n)<<2 | 2<<32 | 2<<48)
	sizes := new(archivePlan) // only for its arithmetic
	next := n * fileWords     // where the next object goes, from the first struct
	for i, c := range dir.children {
		w.uint64(uint64(c.kind)) // the union's tags are in the order of entryKind
		w.uint64(uint64(c.mtimeNs()))
		at := int64(i)*fileWords + 2 // of the first pointer
		w.bytesPointer(next-at-1, int64(len(c.Name))+1)
		next += words(int64(len(c.Name)) + 1)
		switch at++; c.kind {
		case kindDirectory:
			w.listPointer(next-at-1, c.children)
		case kindSymlink:
			w.bytesPointer(next-at-1, int64(len(c.target))+1)
		default:
			w.bytesPointer(next-at-1, c.size)
		}
		next += sizes.contentWords(c)
	}
	for _, c := range dir.children {
		w.text(c.Name)
		if err := w.content(c); err != nil {
			return err
		}
	}
	return w.err
}

func (w *archiveWriter) content(n *Node) error {
	if err := context.Cause(w.ctx); err != nil {
		return err
	}
	switch n.kind {
	case kindDirectory:
		return w.list(n)
	case kindSymlink:
		w.text(n.target)
		return w.err
	}
	src, err := n.open()
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	defer src.Close()
	if w.err == nil {
		var got int64
		// One byte more than expected tells whether the file grew.
		got, w.err = io.Copy(w.w, io.LimitReader(src, n.size+1))
		if w.err == nil && got != n.size {
			return fmt.Errorf("pack: %q changed while it was packed", n.Name)
		}
	}
	w.pad(n.size)
	return w.err
}
