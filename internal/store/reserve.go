package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// reserveSize is the disk space that is kept for writes that free space.
const reserveSize = 8 << 20 // bytes

// reserve is a file of no content next to the database. Apps can fill the disk,
// and then nothing can be recorded any more, not even that the culprit's grain
// goes into the trash: for such writes, and no others, the reserve is given up.
type reserve struct {
	path string
	log  *slog.Logger

	mu    sync.Mutex
	there bool
	tried time.Time // when it could not be made again
}

type freesSpace struct{}

// FreesSpace marks writes as parts of something that will free disk space: on a
// full disk they may use up the reserve.
func FreesSpace(ctx context.Context) context.Context {
	return context.WithValue(ctx, freesSpace{}, true)
}

// giveUp frees the reserve if err is of a full disk and ctx allows it. It reports
// whether it is worth trying again.
func (r *reserve) giveUp(ctx context.Context, err error) bool {
	var e *sqlite.Error
	if r == nil || ctx.Value(freesSpace{}) == nil || !errors.As(err, &e) || e.Code()&0xff != sqlite3.SQLITE_FULL {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.there {
		return false
	}
	if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	r.there, r.tried = false, time.Now()
	r.log.Error("the disk is full: its reserve is used to free space", "path", r.path)
	return true
}

// keep makes the reserve if it is not there, but not on a disk that is nearly
// full already. It is called after writes that worked, and so it tries seldom.
func (r *reserve) keep() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.there || time.Since(r.tried) < time.Minute {
		return
	}
	r.tried = time.Now()
	if err := r.make(); err != nil {
		r.log.Warn("there is no reserve for a full disk", "err", err)
		return
	}
	r.there = true
}

func (r *reserve) make() error {
	f, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	var disk unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &disk); err != nil {
		return os.NewSyscallError("fstatfs", err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if st.Blocks*512 >= reserveSize {
		return nil // it is there from an earlier run
	}
	if free := int64(disk.Bavail) * disk.Bsize; free < 4*reserveSize {
		return errors.Join(fmt.Errorf("only %d bytes are free", free), os.Remove(r.path))
	}
	if err := unix.Fallocate(int(f.Fd()), 0, 0, reserveSize); err != nil {
		return errors.Join(os.NewSyscallError("fallocate", err), os.Remove(r.path))
	}
	return nil
}
