package wire

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// inlineResult is how large a result may be to travel inside its message.
const inlineResult = MaxMessage - 1024

// SendResult ends call id with a result and files; a large result becomes a
// sealed memfd ahead of the files.
func (c *Conn) SendResult(id uint64, result any, files ...*os.File) error {
	data, err := json.Marshal(result)
	if err != nil {
		return err
	}
	if len(data) <= inlineResult {
		return c.Send(&Message{ID: id, Result: data}, files...)
	}
	if len(data) > MaxBlob {
		return ErrTooLarge
	}
	blob, err := newBlob(data)
	if err != nil {
		return err
	}
	defer blob.Close()
	return c.Send(&Message{ID: id, Blob: true}, append([]*os.File{blob}, files...)...)
}

// ReadResult decodes the result of m into out and returns the files that
// belong to the result. It closes files if it fails.
func ReadResult(m *Message, files []*os.File, out any) ([]*os.File, error) {
	data := []byte(m.Result)
	if m.Blob {
		if len(files) == 0 {
			return nil, fmt.Errorf("%w: a large result without its memory", ErrProtocol)
		}
		var err error
		data, err = readBlob(files[0])
		files[0].Close()
		files = files[1:]
		if err != nil {
			CloseAll(files)
			return nil, err
		}
	}
	if out == nil {
		return files, nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		CloseAll(files)
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return files, nil
}

// newBlob puts data into memory that can no longer change or shrink.
func newBlob(data []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("sandstorm-result", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "sandstorm-result")
	if _, err := f.Write(data); err != nil {
		f.Close()
		return nil, err
	}
	const seals = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		f.Close()
		return nil, os.NewSyscallError("fcntl(F_ADD_SEALS)", err)
	}
	return f, nil
}

// readBlob reads the whole of what newBlob made.
func readBlob(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > MaxBlob {
		return nil, fmt.Errorf("%w: result of %d bytes", ErrProtocol, info.Size())
	}
	data := make([]byte, info.Size())
	if _, err := f.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return data, nil
}
