package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

const (
	maxLinks = 40   // symlinks on one path, as in the kernel
	maxPath  = 4096 // bytes of a path
	maxName  = 255  // bytes of one part of it
	maxDepth = 100  // directories on a path; a package holds some 60
)

// cleanName checks a name from an archive and returns it relative to the root,
// without superfluous slashes and dots; the root itself is ".".
func cleanName(raw string) (string, error) {
	if len(raw) > maxPath {
		return "", fmt.Errorf("a path of %d bytes is too long (at most %d)", len(raw), maxPath)
	}
	if strings.ContainsRune(raw, 0) {
		return "", fmt.Errorf("%q contains a NUL byte", raw)
	}
	var parts []string
	for part := range strings.SplitSeq(raw, "/") {
		switch {
		case part == "" || part == ".":
			continue
		case part == "..":
			return "", fmt.Errorf("%q leads out of the directory", raw)
		case len(part) > maxName:
			return "", fmt.Errorf("the name %.20q… is too long (at most %d bytes)", part, maxName)
		}
		if parts = append(parts, part); len(parts) > maxDepth {
			return "", fmt.Errorf("%.40q… is more than %d directories deep", raw, maxDepth)
		}
	}
	if parts == nil {
		return ".", nil
	}
	return strings.Join(parts, "/"), nil
}

// follow resolves a name in root as a program would whose root directory this
// is: absolute symlinks start at root, and .. ends there. It returns the name
// without symlinks, and the symlinks that it went through (by names without
// symlinks in their parents). With create, missing directories are made, also
// where a symlink leads. What is missing otherwise is fs.ErrNotExist.
//
// Go's os.Root and the kernel's RESOLVE_BENEATH refuse absolute symlinks; roots
// of systems are full of them.
func follow(root *os.Root, name string, create bool) (real string, links []string, err error) {
	todo := strings.Split(name, "/")
	real = "."
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			real = path.Dir(real)
			continue
		}
		next := path.Join(real, part)
		if len(next) > maxPath || len(part) > maxName || strings.Count(next, "/") >= maxDepth {
			return "", links, fmt.Errorf("the path of %.40q… is too long", name)
		}
		info, err := root.Lstat(next)
		if create && errors.Is(err, fs.ErrNotExist) {
			if err := makeDir(root, next); err != nil {
				return "", links, err
			}
			real = next
			continue
		}
		if err != nil {
			return "", links, err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if len(todo) > 0 && !info.IsDir() {
				return "", links, &fs.PathError{Op: "open", Path: next, Err: fs.ErrNotExist}
			}
			real = next
			continue
		}
		if links = append(links, next); len(links) > maxLinks {
			return "", links, fmt.Errorf("%q leads through more than %d symlinks", name, maxLinks)
		}
		target, err := root.Readlink(next)
		if err != nil {
			return "", links, err
		}
		if strings.HasPrefix(target, "/") {
			real = "."
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return real, links, nil
}

// makeDir makes a directory that everybody can read, whatever the umask.
func makeDir(root *os.Root, name string) error {
	if err := root.Mkdir(name, 0o755); err != nil {
		return err
	}
	return root.Chmod(name, 0o755)
}
