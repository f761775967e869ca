package pkgdef

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// maxFileList bounds a list of files, in bytes.
const maxFileList = 64 << 20

// Line is a path in a list of files.
type Line struct {
	Path   string
	Number int // from 1
}

// ReadFileList reads a list of files: one path per line, "#" starts a comment.
func ReadFileList(file string) ([]Line, error) {
	// O_NONBLOCK: a pipe of that name must not make it wait.
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: the list of files is missing; “spk dev” writes it while the app runs: %w", file, err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() || info.Size() > maxFileList {
		return nil, fmt.Errorf("%s: the list of files must be an ordinary file of at most %d bytes", file, maxFileList)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFileList))
	if err != nil {
		return nil, err
	}
	return parseFileList(file, content)
}

func parseFileList(file string, content []byte) ([]Line, error) {
	var out []Line
	scan := bufio.NewScanner(bytes.NewReader(content))
	scan.Buffer(nil, 64<<10)
	n := 1
	for ; scan.Scan(); n++ {
		text, _, _ := strings.Cut(scan.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		p, err := cleanPath(text)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		out = append(out, Line{Path: p, Number: n})
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: this line is too long for a path", file, n)
	}
	return out, nil
}

// cleanPath takes a path in a package as people write it.
func cleanPath(p string) (string, error) {
	if strings.HasPrefix(p, "/") {
		return "", fmt.Errorf("%q starts with a slash; paths are relative to the package's root: leave it out", p)
	}
	clean := path.Clean(p)
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", fmt.Errorf("%q leads out of the package", p)
	}
	return clean, nil
}

// header is what a list that we write begins with.
const header = "# The files of the package, one path per line.\n" +
	"# “spk dev” adds what the app used, and “spk pack” packs what stands here.\n" +
	"# Lines may be added and removed by hand; a path that is not there is an error.\n" +
	"# Directories here are packed empty; name whole ones in alwaysInclude.\n"

// Changes are what UpdateFileList did to a list.
type Changes struct {
	Added   []string
	Dropped []string // they name nothing any more
	// Left are paths that a list cannot name, because of a "#" or a line break in
	// them: only alwaysInclude packs such files, with the directory they are in.
	Left []string
}

// UpdateFileList adds what was used to a list of files, takes lines away that
// name nothing any more, and replaces the file at once. A list that is not there
// yet is made.
func UpdateFileList(file string, used []string, t *Tree) (c Changes, err error) {
	old, err := ReadFileList(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	all := map[string]bool{}
	for _, l := range old {
		// What cannot be looked at just now is not gone.
		if _, err := t.Resolve(l.Path); errors.Is(err, fs.ErrNotExist) {
			c.Dropped = append(c.Dropped, l.Path)
			continue
		}
		all[l.Path] = true
	}
	for _, p := range used {
		switch {
		case p == "" || all[p]:
		case !isListable(p):
			c.Left = append(c.Left, p)
		default:
			all[p] = true
			c.Added = append(c.Added, p)
		}
	}
	if old != nil && len(c.Added)+len(c.Dropped) == 0 {
		return c, nil
	}
	var b strings.Builder
	b.WriteString(header)
	paths := make([]string, 0, len(all))
	for p := range all {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		b.WriteString(p + "\n")
	}
	return c, replaceFile(file, b.String())
}

// isListable reports whether a path can be written into a list and read again.
func isListable(p string) bool {
	lines, err := parseFileList("", []byte(p))
	return err == nil && len(lines) == 1 && lines[0].Path == p
}

// replaceFile writes a file so that it is the old or the new one at any moment.
// A symlink keeps leading to it.
func replaceFile(file, content string) error {
	mode := fs.FileMode(0o644)
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(content)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
