package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// libraryDirs are where the dynamic linker looks by itself, without a cache.
var libraryDirs = []string{"usr/lib/x86_64-linux-gnu", "usr/lib", "usr/lib64"}

// addLibraries looks at every program and library in stage and adds the
// libraries that they need, and those that these need, out of pool.
func addLibraries(stage, pool string) error {
	var queue []string
	err := filepath.WalkDir(stage, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			queue = append(queue, p)
		}
		return err
	})
	if err != nil {
		return err
	}
	for len(queue) > 0 {
		file := queue[0]
		queue = queue[1:]
		needed, err := neededBy(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, name := range needed {
			found, fresh, err := addLibrary(stage, pool, name)
			if err != nil {
				rel, _ := filepath.Rel(stage, file)
				return fmt.Errorf("%s needs %s: %w", rel, name, err)
			}
			if fresh {
				queue = append(queue, found)
			}
		}
	}
	return nil
}

// neededBy returns what a file asks the dynamic linker for, and the linker
// itself. It is nothing for what is not a program or library.
func neededBy(file string) ([]string, error) {
	f, err := elf.Open(file)
	if err != nil {
		var format *elf.FormatError
		if errors.As(err, &format) || errors.Is(err, fs.ErrPermission) {
			return nil, nil
		}
		if info, serr := os.Stat(file); serr == nil && info.Size() < 64 {
			return nil, nil
		}
		return nil, err
	}
	defer f.Close()
	needed, err := f.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			b := make([]byte, p.Filesz)
			if _, err := p.ReadAt(b, 0); err != nil {
				return nil, err
			}
			needed = append(needed, strings.TrimRight(string(b), "\x00"))
		}
	}
	return needed, nil
}

// addLibrary puts a library into stage, unless it is there, and returns the
// file itself (not the symlink).
func addLibrary(stage, pool, name string) (file string, fresh bool, err error) {
	candidates := []string{strings.TrimPrefix(name, "/")}
	if !filepath.IsAbs(name) {
		candidates = nil
		for _, dir := range libraryDirs {
			candidates = append(candidates, filepath.Join(dir, name))
		}
	}
	for _, c := range candidates {
		c = mergedPath(c)
		if _, err := os.Stat(filepath.Join(stage, c)); err == nil {
			return "", false, nil
		}
		if _, err := os.Lstat(filepath.Join(pool, c)); err != nil {
			continue
		}
		if err := takeOne(pool, stage, c, nil); err != nil {
			return "", false, err
		}
		file, err := filepath.EvalSymlinks(filepath.Join(stage, c))
		if err != nil {
			// An absolute link: it holds inside the package only.
			target, _ := os.Readlink(filepath.Join(stage, c))
			file = filepath.Join(stage, mergedPath(strings.TrimPrefix(target, "/")))
		}
		return file, true, nil
	}
	return "", false, errors.New("none of the packages has it")
}
