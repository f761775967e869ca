package capnplang

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

func notThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrInvalid)
}

// read reads a whole regular file of at most limit bytes and takes its size off
// left.
func (l *loader) read(src *source, limit int64, left *int64) (string, error) {
	f, err := src.openFile()
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	limit = min(limit, *left)
	switch {
	case !info.Mode().IsRegular():
		return "", errors.New("it is not a regular file")
	case info.Size() > limit:
		return "", tooLarge(limit)
	}
	var text strings.Builder
	text.Grow(int(info.Size()))
	n, err := io.Copy(&text, io.LimitReader(f, limit+1))
	if err != nil {
		return "", err
	}
	if n > limit {
		return "", tooLarge(limit) // it grew
	}
	*left -= n
	return text.String(), nil
}

// openFile never waits: opening a pipe without a writer would.
func (s *source) openFile() (fs.File, error) {
	if s.fsys != nil {
		return s.fsys.Open(s.path)
	}
	return os.OpenFile(s.path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
}

type tooLarge int64

func (t tooLarge) Error() string {
	return "it is too large; " + sizeText(int64(t)) + " are left of what may be read"
}

// reason is an error of the file system without the path, which the message
// already has.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return err.Error()
}

func sizeText(n int64) string {
	switch {
	case n >= 1<<20:
		return itoa(n>>20) + " MiB"
	case n >= 1<<10:
		return itoa(n>>10) + " KiB"
	}
	return itoa(n) + " bytes"
}
