package pkgstore

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
)

// firstDifference returns the path of something that differs between two trees
// in kind, content, executability or presence, or "" if they are equal. Times
// do not count. No symlink is followed.
func firstDifference(a, b string) (string, error) {
	rootA, err := os.OpenRoot(a)
	if err != nil {
		return "", err
	}
	defer rootA.Close()
	rootB, err := os.OpenRoot(b)
	if err != nil {
		return "", err
	}
	defer rootB.Close()
	return compareDirs(rootA, rootB, ".")
}

func compareDirs(a, b *os.Root, dir string) (string, error) {
	inA, errA := readNames(a, dir)
	inB, errB := readNames(b, dir)
	if err := errors.Join(errA, errB); err != nil {
		return "", err
	}
	if !slices.Equal(inA, inB) {
		return dir, nil
	}
	for _, name := range inA {
		name = path.Join(dir, name)
		same, isDir, err := compareEntries(a, b, name)
		if err != nil || !same {
			return name, err
		}
		if !isDir {
			continue
		}
		if diff, err := compareDirs(a, b, name); err != nil || diff != "" {
			return diff, err
		}
	}
	return "", nil
}

func readNames(root *os.Root, dir string) ([]string, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

func compareEntries(a, b *os.Root, name string) (same, isDir bool, err error) {
	infoA, errA := a.Lstat(name)
	infoB, errB := b.Lstat(name)
	if err := errors.Join(errA, errB); err != nil {
		return false, false, err
	}
	const look = fs.ModeType | 0o100
	switch {
	case infoA.Mode()&look != infoB.Mode()&look:
		return false, false, nil
	case infoA.IsDir():
		return true, true, nil
	case infoA.Mode()&fs.ModeSymlink != 0:
		targetA, errA := a.Readlink(name)
		targetB, errB := b.Readlink(name)
		return targetA == targetB, false, errors.Join(errA, errB)
	case !infoA.Mode().IsRegular() || infoA.Size() != infoB.Size():
		return false, false, nil
	}
	same, err = compareFiles(a, b, name)
	return same, false, err
}

func compareFiles(a, b *os.Root, name string) (bool, error) {
	fileA, err := a.Open(name)
	if err != nil {
		return false, err
	}
	defer fileA.Close()
	fileB, err := b.Open(name)
	if err != nil {
		return false, err
	}
	defer fileB.Close()
	bufA, bufB := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		nA, errA := io.ReadFull(fileA, bufA)
		nB, errB := io.ReadFull(fileB, bufB)
		if !bytes.Equal(bufA[:nA], bufB[:nB]) {
			return false, nil
		}
		if errA != nil || errB != nil {
			return ended(errA) && ended(errB), errors.Join(realError(errA), realError(errB))
		}
	}
}

func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func realError(err error) error {
	if ended(err) {
		return nil
	}
	return err
}
