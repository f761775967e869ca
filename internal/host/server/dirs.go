package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
)

// Names in a grain's directory (sandbox.md §5). Only what is below "sandbox"
// belongs to the app.
const (
	fileSandbox = "sandbox"
	fileLog     = "log"
	fileOldLog  = "log.1"
	filePipe    = "log.fifo"
	fileLock    = "lock"
	fileRun     = "run.json"
	fileEpoch   = "epoch"
)

// dirs holds the directories of the host open, so that what happens to their
// paths later does not matter.
type dirs struct {
	data   string
	grains *dir
	tmp    *dir
}

// openDirs makes what is missing of the host's directories and refuses
// directories that somebody else could change: as root the host would
// otherwise follow what the owner of the data put there.
func openDirs(data string) (*dirs, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return nil, err
	}
	d := &dirs{data: data}
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, err
	}
	apps, err := ownDir(filepath.Join(data, "apps"), 0o755)
	if err != nil {
		return nil, err
	}
	apps.close() // the package store opens it again
	if d.grains, err = ownDir(filepath.Join(data, "grains"), 0o700); err != nil {
		return nil, err
	}
	if d.tmp, err = ownDir(filepath.Join(data, "tmp"), 0o700); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *dirs) close() {
	d.grains.close()
	if d.tmp != nil {
		d.tmp.close()
	}
}

// sandboxPath is where the app's storage lies.
func (d *dirs) sandboxPath(id sandstorm.GrainID) string {
	return filepath.Join(d.data, "grains", string(id), fileSandbox)
}

// grain opens a grain's directory; NotFound if there is none.
func (d *dirs) grain(id sandstorm.GrainID) (*dir, error) {
	out, err := d.grains.sub(string(id))
	if errors.Is(err, unix.ENOENT) {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "grain.no-storage", "grain %s has no storage here", id)
	}
	return out, err
}

// ownDir opens a directory that only this user may write to, making it if it is
// not there.
func ownDir(path string, mode uint32) (*dir, error) {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	fd, err := openDir(unix.AT_FDCWD, path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("stat %s: %w", path, err)
	}
	if int(st.Uid) != os.Geteuid() {
		unix.Close(fd)
		return nil, sandstorm.Errorf(sandstorm.Denied, "host.owner", "%s belongs to user %d, but the host process is user %d", path, st.Uid, os.Geteuid()).With("path", path)
	}
	// Directories of an earlier server are open to its group.
	if err := unix.Fchmod(fd, mode); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("chmod %s: %w", path, err)
	}
	return &dir{fd: fd}, nil
}
