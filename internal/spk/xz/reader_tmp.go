package xz

import (
	"bufio"
	"io"

	rootxz "github.com/therootcompany/xz"
)

const checkCRC64 = 4

type Reader struct{ *rootxz.Reader }

func NewReader(r io.Reader) (*Reader, error) {
	z, err := rootxz.NewReader(bufio.NewReaderSize(r, 1<<18), 256<<20)
	return &Reader{z}, err
}

func (z *Reader) Close() error { return nil }
