package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// push is one change of a branch, as git has recorded it.
type push struct {
	Who, Branch string
	Time        time.Time
}

// Bounds of what is read for the list of pushes.
const (
	maxLogs = 200     // branches
	maxTail = 4 << 10 // bytes of one branch's log
)

// pushes are the newest n changes of branches that still exist.
func (r *repository) pushes(n int) ([]push, error) {
	root := filepath.Join(r.dir, "logs", "refs", "heads")
	var all []push
	logs := 0
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if logs++; logs > maxLogs {
			return fs.SkipAll
		}
		branch, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		tail, err := readTail(p, maxTail)
		if err != nil {
			return err
		}
		for line := range strings.SplitSeq(tail, "\n") {
			if c, ok := parseLogLine(line); ok {
				c.Branch = branch
				all = append(all, c)
			}
		}
		return nil
	})
	if os.IsNotExist(err) {
		err = nil
	}
	slices.SortStableFunc(all, func(a, b push) int { return b.Time.Compare(a.Time) })
	return all[:min(n, len(all))], err
}

// readTail returns the last whole lines of a file, at most limit bytes.
func readTail(name string, limit int64) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	from := max(0, info.Size()-limit)
	b, err := io.ReadAll(io.NewSectionReader(f, from, limit))
	text := string(b)
	if from > 0 {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text, err
}

// parseLogLine reads a line of a reflog: old and new id, name <address>,
// seconds since 1970, zone, tab, reason.
func parseLogLine(line string) (push, bool) {
	head, _, _ := strings.Cut(line, "\t")
	_, rest, ok := strings.Cut(head, " ")
	_, rest, ok2 := strings.Cut(rest, " ")
	name, rest, ok3 := strings.Cut(rest, " <")
	_, when, ok4 := strings.Cut(rest, "> ")
	seconds, _, ok5 := strings.Cut(when, " ")
	t, err := strconv.ParseInt(seconds, 10, 64)
	if !ok || !ok2 || !ok3 || !ok4 || !ok5 || err != nil || t < 0 || t > 1<<40 {
		return push{}, false
	}
	return push{Who: name, Time: time.Unix(t, 0).UTC()}, true
}
