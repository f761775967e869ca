package spktool

import (
	"context"
	"io"
	"os"
)

// openPackage opens a .spk file, or standard input for "-", and shows how far it
// was read.
func openPackage(ctx context.Context, path string, talk io.Writer, what string) (src io.ReadCloser, read func(int64), err error) {
	if path == "-" {
		return interruptibleReader(ctx, os.Stdin), func(int64) {}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return interruptibleReader(ctx, f), func(int64) {}, nil
	}
	bar := newProgress(talk, what, info.Size())
	return &watched{File: f, bar: bar}, bar.at, nil
}

// interruptibleReader reads a pipe or a terminal until ctx ends: nothing else
// wakes up who waits for somebody to write.
func interruptibleReader(ctx context.Context, from *os.File) io.ReadCloser {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.CloseWithError(context.Cause(ctx)) })
	go func() {
		_, err := io.Copy(w, from)
		w.CloseWithError(err)
	}()
	return r
}

// watched ends the progress with the file.
type watched struct {
	*os.File
	bar *progress
}

func (w *watched) Close() error {
	w.bar.done()
	return w.File.Close()
}
