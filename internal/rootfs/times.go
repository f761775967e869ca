package rootfs

import (
	"io/fs"
	"os"
	"path"
	"time"
)

// latest is the last moment that every file system and a package's signed
// nanoseconds can hold.
var latest = time.Date(2106, 1, 1, 0, 0, 0, 0, time.UTC)

// clampTime keeps times of archives within what can be stored.
func clampTime(t time.Time) time.Time {
	if t.Unix() < 0 {
		return time.Unix(0, 0)
	}
	if t.After(latest) {
		return latest
	}
	return t
}

// setDirTimes gives every directory the time that was noted for it. One that no
// archive names, as it was only implied, gets the newest of its entries: the
// time at which it was made here would differ from run to run.
func setDirTimes(root *os.Root, times map[string]time.Time) error {
	_, err := setDirTime(root, ".", times)
	return err
}

func setDirTime(root *os.Root, name string, times map[string]time.Time) (time.Time, error) {
	dir, err := root.Open(name)
	if err != nil {
		return time.Time{}, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return time.Time{}, err
	}
	noted, known := times[name]
	newest := time.Unix(0, 0)
	for _, e := range entries {
		var t time.Time
		if e.IsDir() {
			t, err = setDirTime(root, path.Join(name, e.Name()), times)
		} else if !known {
			t, err = modTime(e)
		}
		if err != nil {
			return time.Time{}, err
		}
		if t.After(newest) {
			newest = t
		}
	}
	if known {
		newest = noted
	}
	return newest, setTime(dir, ".", newest)
}

func modTime(e fs.DirEntry) (time.Time, error) {
	info, err := e.Info()
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}
