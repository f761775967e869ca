package pkgdef

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
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
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: the list of files is missing; “spk dev” writes it while the app runs: %w", file, err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxFileList {
		return nil, fmt.Errorf("%s: the list of files must be a file of at most %d bytes (%w)", file, maxFileList, err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil {
		return nil, err
	}
	return parseFileList(file, b.Bytes())
}

func parseFileList(file string, content []byte) ([]Line, error) {
	var out []Line
	scan := bufio.NewScanner(bytes.NewReader(content))
	scan.Buffer(nil, 64<<10)
	for n := 1; scan.Scan(); n++ {
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
		return nil, fmt.Errorf("%s: %w", file, err)
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

// UpdateFileList adds what was used to a list of files, takes lines away that
// name nothing any more, and replaces the file at once. It returns the new and
// the dropped paths. A list that is not there yet is made.
func UpdateFileList(file string, used []string, t *Tree) (added, dropped []string, err error) {
	old, err := ReadFileList(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	all := map[string]bool{}
	for _, l := range old {
		if _, err := t.Resolve(l.Path); err != nil {
			dropped = append(dropped, l.Path)
			continue
		}
		all[l.Path] = true
	}
	for _, p := range used {
		if p != "" && !all[p] && !strings.ContainsAny(p, "#\n") {
			all[p] = true
			added = append(added, p)
		}
	}
	if old != nil && len(added)+len(dropped) == 0 {
		return nil, nil, nil
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
	return added, dropped, replaceFile(file, b.String())
}

// replaceFile writes a file so that it is the old or the new one at any moment.
func replaceFile(file, content string) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(content)
	if err == nil {
		err = tmp.Chmod(0o644)
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
