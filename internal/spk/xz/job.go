package xz

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"sync/atomic"
)

// job is a block that is decoded on its own, next to others.
type job struct {
	header *blockHeader
	check  byte
	in     []byte // compressed data, padding, check
	out    []byte // the decoded data, with capacity for copySlack more
	err    error
	done   chan struct{}
	cancel *atomic.Bool
}

// size is the memory that the job holds.
func (j *job) size() int64 { return int64(cap(j.in) + cap(j.out)) }

// models are kept because each is 200 KiB.
var models = sync.Pool{New: func() any { return new(model) }}

// run decodes the block.
func (j *job) run() {
	defer close(j.done)
	m := models.Get().(*model)
	defer models.Put(m)
	src := bytes.NewReader(j.in[:j.header.compressed])
	j.err = j.decode(m, src)
	if j.err == nil && src.Len() != 0 {
		j.err = fmt.Errorf("%w: rest after a block's data", ErrFormat)
	}
	if j.err != nil {
		return
	}
	h := newCheck(j.check)
	if h != nil {
		h.Write(j.out)
	}
	n, _ := checkSize(j.check)
	j.err = verifyTail(j.in[j.header.compressed:], h, n)
}

var errCancelled = errors.New("xz: reader closed")

func (j *job) decode(m *model, src io.Reader) error {
	var c chunks
	c.start(m, src, j.header.dict)
	buf, pos := j.out[:cap(j.out)], 0
	for {
		if j.cancel.Load() {
			return errCancelled
		}
		h, err := c.next()
		if err != nil {
			return err
		}
		if h.control == 0 {
			break
		}
		if h.out > len(j.out)-pos {
			return fmt.Errorf("%w: block is larger than its header says", ErrFormat)
		}
		if err := c.decode(h, buf, pos); err != nil {
			return err
		}
		pos += h.out
	}
	if pos != len(j.out) {
		return fmt.Errorf("%w: block is smaller than its header says", ErrFormat)
	}
	return nil
}

// verifyTail checks padding and check, which are all of tail.
func verifyTail(tail []byte, h hash.Hash, size int) error {
	padding := tail[:len(tail)-size]
	if len(bytes.Trim(padding, "\x00")) > 0 {
		return fmt.Errorf("%w: padding of a block", ErrFormat)
	}
	if !checkEquals(h, tail[len(padding):]) {
		return fmt.Errorf("%w: checksum of a block", ErrFormat)
	}
	return nil
}
