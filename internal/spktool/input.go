package spktool

import (
	"io"
	"os"
)

// openPackage opens a .spk file, or standard input for "-", and shows how far it
// was read.
func openPackage(path string, talk io.Writer, what string) (src io.ReadCloser, read func(int64), err error) {
	if path == "-" {
		return io.NopCloser(os.Stdin), func(int64) {}, nil
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
	bar := newProgress(talk, what, info.Size())
	return &watched{File: f, bar: bar}, bar.at, nil
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
