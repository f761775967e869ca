package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
)

// takeOver finds what an earlier host process left: it goes on with the grains
// that run, ends those that it cannot go on with, and cleans up after the rest.
func (s *server) takeOver() error {
	names, err := s.dirs.grains.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		s.claimIn(s.dirs.grains, name)
		if _, err := sandstorm.ParseGrainID(name); err != nil {
			s.log.Warn("not a grain", "name", name)
			continue
		}
		if err := s.takeOverGrain(sandstorm.GrainID(name)); err != nil {
			s.log.Error("cannot take over a grain", "grain", name, "err", err)
		}
	}
	return s.clearTmp()
}

// takeOverGrain looks at one grain. Whether it runs is told by its lock; run.json
// only says as what.
func (s *server) takeOverGrain(id sandstorm.GrainID) error {
	g, err := s.table.acquire(id)
	if err != nil {
		return err
	}
	defer s.table.release(g)
	if _, err := g.dir.stat(fileRun); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	lock, err := g.dir.open(fileLock, unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	free, err := tryLock(int(lock.Fd()))
	if err != nil {
		return err
	}
	if free {
		s.log.Info("grain ended while no host watched", "grain", id)
		return g.dir.remove(fileRun)
	}
	if err := s.reattach(g); err == nil {
		return nil
	} else {
		s.log.Warn("grain runs but cannot be taken over: it is stopped", "grain", id, "err", err)
	}
	if err := killHolders(s.life, id, lock); err != nil {
		return err
	}
	return g.dir.remove(fileRun)
}

// reattach goes on with a grain that runs.
func (s *server) reattach(g *grain) error {
	rec, err := readRecord(g.dir)
	if err != nil {
		return err
	}
	if rec.Package.IsDev() {
		return errors.New("its app was under development, on a host process that died")
	}
	if rec.PID == 0 {
		return errors.New("the host process died while it started")
	}
	p, err := s.box.Attach(rec.PID, rec.StartTime)
	if err != nil {
		return err
	}
	log, err := s.table.logOf(g)
	if err != nil {
		return err
	}
	pipe, err := openLogReader(g.dir)
	if err != nil {
		return err
	}
	s.supervise(g, rec, p, log, pipe)
	s.log.Info("grain goes on", "grain", g.id, "epoch", rec.Epoch, "process", rec.PID)
	return nil
}

// killHolders kills every process that holds the lock's file open, and waits
// until the lock is free. They can only be the first processes of a grain whose
// start was cut short: the file is in a directory of the host's own, and there
// is no other host.
func killHolders(ctx context.Context, id sandstorm.GrainID, lock *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	for {
		free, err := tryLock(int(lock.Fd()))
		if free || err != nil {
			return err
		}
		pids, err := lockHolders(id, lock)
		if err != nil {
			return err
		}
		for _, pid := range pids {
			killHolder(pid, id, lock)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("lock stays held: %w", err)
		}
	}
}

// killHolder kills a process if it holds the lock. The descriptor pins the
// process: its id cannot come to mean another between looking and killing.
func killHolder(pid int, id sandstorm.GrainID, lock *os.File) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if holdsLock(pid, id, lock) {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
}

// lockHolders lists the other processes that have the lock's file open.
func lockHolders(id sandstorm.GrainID, lock *os.File) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && pid != os.Getpid() && holdsLock(pid, id, lock) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// holdsLock reports whether the process has the lock's file open. It looks at
// the name first: to stat a stranger's files could hang on a dead file system.
func holdsLock(pid int, id sandstorm.GrainID, lock *os.File) bool {
	var want unix.Stat_t
	if err := unix.Fstat(int(lock.Fd()), &want); err != nil {
		return false
	}
	suffix := "/" + string(id) + "/" + fileLock
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, fd := range fds {
		link := filepath.Join(dir, fd.Name())
		if name, err := os.Readlink(link); err != nil || !strings.HasSuffix(name, suffix) {
			continue
		}
		var st unix.Stat_t
		if unix.Stat(link, &st) == nil && st.Dev == want.Dev && st.Ino == want.Ino {
			return true
		}
	}
	return false
}
