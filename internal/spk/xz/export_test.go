package xz

import "io"

// NewWriterSize makes a Writer with smaller blocks.
func NewWriterSize(w io.Writer, blockSize int) *Writer { return newWriter(w, blockSize, encodeBlock) }

// NewStoreWriterSize does the same for one that does not compress.
func NewStoreWriterSize(w io.Writer, blockSize int) *Writer {
	return newWriter(w, blockSize, storeBlock)
}
