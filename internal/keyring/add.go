package keyring

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Add appends a key to the keyring at path, which it creates with mode 0600 if
// it is not there. When Add returns, the key is on the disk; after an error the
// file is as it was. Two programs may add keys at the same time.
func Add(path string, key Key) error {
	message, err := key.Message()
	if err != nil {
		return err
	}
	// O_NONBLOCK: opening a FIFO must not wait for its reader.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	defer f.Close() // the file was synced before; this also unlocks it
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("keyring %s is not an ordinary file", path)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock keyring %s: %w", path, err)
	}
	// A key after something that is no key would be lost.
	old, err := read(f, path)
	if err != nil {
		return err
	}
	return old.append(f, message)
}

// append writes at the end of what read has read, or takes it back.
func (r *Keyring) append(f *os.File, message []byte) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	if end+int64(len(message)) > MaxSize {
		return fmt.Errorf("keyring %s is full", r.path)
	}
	_, err = f.WriteAt(message, end)
	if err == nil {
		err = f.Sync()
	}
	if err == nil && end == 0 {
		err = syncDir(filepath.Dir(r.path)) // it may have been created just now
	}
	if err != nil {
		return fmt.Errorf("add key to keyring: %w", errors.Join(err, f.Truncate(end)))
	}
	return nil
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
