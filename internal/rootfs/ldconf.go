package rootfs

import (
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

const maxConf = 64 << 10 // bytes of one configuration file, and at most 100 of them

// configured returns the directories that a root's own configuration adds. That
// of glibc counts only together with the cache that ldconfig makes of it; roots
// made of Debian packages have none, as ldconfig has not run.
func configured(root *os.Root) []string {
	var dirs []string
	if matches, _ := fs.Glob(root.FS(), "lib/ld-musl-*"); matches != nil {
		dirs = append(dirs, "usr/local/lib")
	}
	if _, err := root.Lstat("etc/ld.so.cache"); err != nil {
		return dirs
	}
	queue := []string{"etc/ld.so.conf"}
	for i := 0; i < len(queue) && i < 100; i++ {
		for line := range strings.SplitSeq(readConf(root, queue[i]), "\n") {
			line, _, _ = strings.Cut(line, "#")
			line = strings.TrimSpace(line)
			if rest, ok := strings.CutPrefix(line, "include"); ok {
				for _, pattern := range strings.Fields(rest) {
					if !strings.HasPrefix(pattern, "/") {
						pattern = path.Join("/etc", pattern)
					}
					more, _ := fs.Glob(root.FS(), strings.TrimPrefix(path.Clean(pattern), "/"))
					queue = append(queue, more...)
				}
			} else if strings.HasPrefix(line, "/") {
				dirs = append(dirs, strings.TrimPrefix(path.Clean(line), "/"))
			}
		}
	}
	return dirs
}

func readConf(root *os.Root, name string) string {
	real, _, err := follow(root, name, false)
	if err != nil {
		return ""
	}
	if info, err := root.Lstat(real); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	f, err := root.Open(real)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConf))
	if err != nil {
		return ""
	}
	return string(text)
}
