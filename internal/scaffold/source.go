package scaffold

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	maxRead    = 1 << 20 // bytes read of one file
	maxEntries = 2000    // names read of one directory
)

// source is a source tree, read with care: a name that leads out, is no regular
// file or is too large to have been written by hand counts as missing.
type source struct {
	root *os.Root
}

func openSource(dir string) (*source, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the source tree: %w", err)
	}
	return &source{root}, nil
}

func (s *source) close() { s.root.Close() }

// read returns a file's content, or "" if there is none.
func (s *source) read(name string) string {
	info, err := s.root.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxRead {
		return ""
	}
	// Should it have become a pipe by now, opening it must not wait.
	f, err := s.root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	text, err := io.ReadAll(io.LimitReader(f, maxRead))
	if err != nil {
		return ""
	}
	return string(text)
}

// has reports whether a regular file is there.
func (s *source) has(name string) bool {
	info, err := s.root.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

func (s *source) hasDir(name string) bool {
	info, err := s.root.Stat(name)
	return err == nil && info.IsDir()
}

// first returns the first of the files that is there, or "".
func (s *source) first(names ...string) string {
	for _, n := range names {
		if s.has(n) {
			return n
		}
	}
	return ""
}

// names returns the sorted names in a directory that end in suffix, and of
// directories those with a slash after them.
func (s *source) names(dir, suffix string) []string {
	d, err := s.root.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	entries, err := d.ReadDir(maxEntries)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() {
			name += "/"
		} else if e.Type()&^fs.ModeSymlink != 0 {
			continue
		}
		if strings.HasSuffix(name, suffix) && isPlain(name) {
			names = append(names, path.Join(dir, name))
		}
	}
	slices.Sort(names)
	return names
}

// isPlain reports whether a word can stand in a script, a command line and a
// definition without being quoted.
func isPlain(s string) bool {
	return s != "" && !strings.Contains(s, portMark) && strings.IndexFunc(s, func(r rune) bool {
		return r >= 0x80 || r <= ' ' || r == 0x7f || strings.ContainsRune("\"'`\\$&|;<>()[]{}*?!#~^", r)
	}) < 0
}
