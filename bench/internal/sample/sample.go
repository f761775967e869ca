// Package sample makes what benchmarks work on, and sums up what they found.
package sample

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Tree fills dir with files of this system until they have size bytes together:
// half of it data, half programs, which are as mixed as an app's. Every file up
// to 8 MB counts, as an app consists of many.
func Tree(dir string, size int64) error {
	var total int64
	for i, top := range []string{"/usr/share", "/usr/lib"} {
		limit := size * int64(i+1) / 2
		err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() || total >= limit {
				return nil // what we may not read is not packed
			}
			info, err := e.Info()
			if err != nil || info.Size() > 8<<20 {
				return nil
			}
			n, err := copyFile(path, filepath.Join(dir, path), info)
			total += n
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string, info fs.FileInfo) (int64, error) {
	src, err := os.Open(from)
	if err != nil {
		return 0, nil
	}
	defer src.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return 0, err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm()|0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(dst, src)
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	return n, err
}

// Ratios is their median and range.
func Ratios(list []float64) string {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return fmt.Sprintf("%.2f (%.2f–%.2f of %d)", list[n/2], list[0], list[n-1], n)
}

// OwnCPU is the processor time of this process so far.
func OwnCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
