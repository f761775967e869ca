package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Where things lie below the app's directory: what people see, and uploads
// that are not complete.
const (
	filesDir    = "files"
	incomingDir = "incoming"
)

var (
	errName   = errors.New("this name cannot be used")
	errExists = errors.New("something of that name is already there")
	errInside = errors.New("a folder cannot be moved into itself")
)

// A tree is the folder and everything in it. All paths are relative to it,
// slash-separated, "" for itself. It goes through an os.Root, so that no name
// and no symbolic link leads out of it. Uploads appear whole or not at all.
type tree struct {
	root *os.Root
	// changing is held while names change, so that "is it free" and "take it"
	// are one step.
	changing sync.Mutex
	watch    watchers
}

type entry struct {
	Name     string `json:"name"`
	Folder   bool   `json:"folder,omitempty"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // Unix milliseconds
}

func openTree(dir string) (*tree, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	// What was incoming when the app was last killed will never be complete.
	if err := root.RemoveAll(incomingDir); err != nil {
		return nil, err
	}
	return &tree{root: root}, errors.Join(root.MkdirAll(filesDir, 0o700), root.MkdirAll(incomingDir, 0o700))
}

// clean checks a path that came from outside and returns its one true form.
func clean(p string) (string, error) {
	p = strings.Trim(p, "/")
	if p == "" {
		return "", nil
	}
	if len(p) > 3000 || !utf8.ValidString(p) {
		return "", errName
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == "" || part == "." || part == ".." || len(part) > 255 || strings.ContainsFunc(part, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return "", errName
		}
	}
	return p, nil
}

// at is where p lies below the root.
func at(p string) string { return path.Join(filesDir, p) }

// list returns what is in a folder: folders first, each by name.
func (t *tree) list(p string) ([]entry, error) {
	dir, err := t.root.Open(at(p))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	found, err := dir.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(found))
	for _, f := range found {
		info, err := f.Info()
		if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
			continue // gone meanwhile, or nothing that people can use
		}
		e := entry{Name: f.Name(), Folder: info.IsDir(), Modified: info.ModTime().UnixMilli()}
		if !e.Folder {
			e.Size = info.Size()
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if a.Folder != b.Folder {
			if a.Folder {
				return -1
			}
			return 1
		}
		return strings.Compare(strings.ToLower(a.Name)+a.Name, strings.ToLower(b.Name)+b.Name)
	})
	return entries, nil
}

// folders returns the paths of all folders, at most limit.
func (t *tree) folders(limit int) ([]string, error) {
	all := []string{""}
	err := fs.WalkDir(t.root.FS(), filesDir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || p == filesDir {
			return nil
		}
		all = append(all, strings.TrimPrefix(p, filesDir+"/"))
		if len(all) >= limit {
			return fs.SkipAll
		}
		return nil
	})
	return all, err
}

func (t *tree) makeFolder(p string) error {
	t.changing.Lock()
	defer t.changing.Unlock()
	err := t.root.Mkdir(at(p), 0o700)
	if errors.Is(err, fs.ErrExist) {
		return errExists
	}
	if err == nil {
		t.watch.tell(path.Dir(p))
	}
	return err
}

func (t *tree) move(from, to string) error {
	if from == "" || to == "" {
		return errName
	}
	if to == from {
		return nil
	}
	if strings.HasPrefix(to, from+"/") {
		return errInside
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	if _, err := t.root.Lstat(at(to)); err == nil {
		return errExists
	}
	err := t.root.Rename(at(from), at(to))
	if err == nil {
		t.watch.tell(path.Dir(from))
		t.watch.tell(path.Dir(to))
	}
	return err
}

// remove deletes a file or a whole folder.
func (t *tree) remove(p string) error {
	if p == "" {
		return errName
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	if _, err := t.root.Lstat(at(p)); err != nil {
		return err
	}
	err := t.root.RemoveAll(at(p))
	t.watch.tell(path.Dir(p))
	return err
}

// conflict says what an upload does when its name is taken.
type conflict int

const (
	refuse  conflict = iota
	rename           // take "name (2).txt"
	replace          // take the place of a file, never of a folder
)

// put stores what src gives as a file and returns the path that it got, and
// whether it took another's place. The folders above it are made if needed.
func (t *tree) put(p string, src io.Reader, modified time.Time, c conflict) (got string, replaced bool, err error) {
	if p == "" {
		return "", false, errName
	}
	temporary := path.Join(incomingDir, rand.Text())
	if err := t.receive(temporary, src, modified); err != nil {
		_ = t.root.Remove(temporary)
		return "", false, err
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	defer func() { _ = t.root.Remove(temporary) }()
	if err := t.root.MkdirAll(at(path.Dir(p)), 0o700); err != nil {
		return "", false, err
	}
	got, replaced, err = t.place(temporary, p, c)
	if err == nil {
		err = t.sync(path.Dir(got))
		t.watch.tell(path.Dir(got))
	}
	return got, replaced, err
}

// sync puts a folder's names on the disk.
func (t *tree) sync(p string) error {
	dir, err := t.root.Open(at(p))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func (t *tree) receive(name string, src io.Reader, modified time.Time) error {
	f, err := t.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, src, make([]byte, 256<<10))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil && !modified.IsZero() {
		err = t.root.Chtimes(name, modified, modified)
	}
	return err
}

// place gives a complete upload its name.
func (t *tree) place(temporary, p string, c conflict) (string, bool, error) {
	info, err := t.root.Lstat(at(p))
	taken := err == nil
	switch {
	case !taken:
		return p, false, t.root.Rename(temporary, at(p))
	case c == replace && info.IsDir(), c == refuse:
		return "", false, errExists
	case c == replace:
		return p, true, t.root.Rename(temporary, at(p))
	}
	for n := 2; n < 10000; n++ {
		other := numbered(p, n)
		if _, err := t.root.Lstat(at(other)); errors.Is(err, fs.ErrNotExist) {
			return other, false, t.root.Rename(temporary, at(other))
		}
	}
	return "", false, errExists
}

// numbered makes "a/b (2).txt" of "a/b.txt".
func numbered(p string, n int) string {
	dir, name := path.Split(p)
	ext := path.Ext(name)
	if ext == name { // ".profile" has no extension
		ext = ""
	}
	suffix := " (" + strconv.Itoa(n) + ")"
	stem := strings.TrimSuffix(name, ext)
	for len(stem)+len(suffix)+len(ext) > 255 && stem != "" {
		_, size := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-size]
	}
	return fmt.Sprint(dir, stem, suffix, ext)
}
