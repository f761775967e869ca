package rootfs

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// budget is what an unpacking may still cost. It is shared by all archives of a
// source, so that many small ones cost no more than a large one.
type budget struct {
	bytes    int64 // written to files
	stream   int64 // decompressed
	entries  int
	maxBytes int64
	maxCount int
}

func newBudget(o Options) *budget {
	return &budget{maxBytes: o.MaxBytes, maxCount: o.MaxEntries}
}

// take accounts for the content of a file before it is written: a sparse file
// needs no bytes in the archive.
func (b *budget) take(n int64) error {
	if n < 0 || n > b.maxBytes-b.bytes {
		return fmt.Errorf("more than %d bytes of files; raise the limit if that is meant", b.maxBytes)
	}
	b.bytes += n
	return nil
}

func (b *budget) entry() error {
	if b.entries++; b.entries > b.maxCount {
		return fmt.Errorf("more than %d files; raise the limit if that is meant", b.maxCount)
	}
	return nil
}

// bounded is a decompressed stream that ends with an error when the budget is
// used up or its context is done.
type bounded struct {
	ctx context.Context
	r   io.Reader
	b   *budget
}

func (r *bounded) Read(p []byte) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	r.b.stream += int64(n)
	// A tar archive pads and names its files, which is not counted as bytes of
	// files: at most two kilobytes a file and as much again for all of them.
	if limit := 2*r.b.maxBytes + 2048*int64(r.b.maxCount); r.b.stream > limit {
		return n, fmt.Errorf("the archives are larger than %d bytes when decompressed", limit)
	}
	return n, err
}

// notes collects warnings by kind, with some examples each: an image can give
// reason for thousands.
type notes struct {
	kinds []*note
	lines []string
}

type note struct {
	text     string
	count    int
	examples []string
}

const maxExamples = 3

func (n *notes) add(text, example string) {
	i := slices.IndexFunc(n.kinds, func(k *note) bool { return k.text == text })
	if i < 0 {
		i = len(n.kinds)
		n.kinds = append(n.kinds, &note{text: text})
	}
	k := n.kinds[i]
	if k.count++; len(k.examples) < maxExamples {
		k.examples = append(k.examples, fmt.Sprintf("%q", example))
	}
}

func (n *notes) say(format string, args ...any) {
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

func (n *notes) all() []string {
	lines := slices.Clone(n.lines)
	for _, k := range n.kinds {
		more := ""
		if k.count > len(k.examples) {
			more = fmt.Sprintf(" and %d more", k.count-len(k.examples))
		}
		lines = append(lines, k.text+": "+strings.Join(k.examples, ", ")+more)
	}
	return lines
}
