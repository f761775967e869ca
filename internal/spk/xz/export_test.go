package xz

// NewWriterSize makes a Writer with smaller blocks.
var NewWriterSize = newWriter
