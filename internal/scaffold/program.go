package scaffold

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/sandstorm-go/sandstorm/internal/terminal"
)

// finder finds a program on this machine, by its name, and returns its absolute
// path without symlinks, or "".
type finder func(name string) string

// findProgram prefers the system's own programs to what is first in PATH, which
// may lie in a home directory or be a script that chooses among versions.
func findProgram(name string) string {
	candidates := []string{"/usr/bin/" + name, "/usr/local/bin/" + name, "/bin/" + name}
	if p, err := exec.LookPath(name); err == nil {
		candidates = append(candidates, p)
	}
	for _, c := range candidates {
		p, err := filepath.EvalSymlinks(c)
		if err != nil {
			continue
		}
		if abs, err := filepath.Abs(p); err == nil && isBinary(abs) {
			return abs
		}
	}
	return ""
}

func isBinary(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var magic [4]byte
	_, err = f.Read(magic[:])
	return err == nil && bytes.Equal(magic[:], []byte("\x7fELF"))
}

// interpreter returns the first of several programs that is here. If none is,
// it returns where the first usually is, and leaves a note.
func (f *Found) interpreter(find finder, names ...string) string {
	for _, n := range names {
		if p := find(n); p != "" {
			return p
		}
	}
	f.note("%s is not installed on this machine. Install it: its files are found by running the app here.", names[0])
	return "/usr/bin/" + names[0]
}

func (f *Found) note(format string, args ...any) {
	f.Notes = append(f.Notes, plainNote(fmt.Sprintf(format, args...)))
}

// plainNote is for text that we wrote ourselves, but for names in it.
func plainNote(s string) string {
	const limit = 2000
	if len(s) > limit {
		s = s[:limit]
	}
	var out []byte
	for _, r := range s {
		if terminal.Obeyed(r) || r == 0xFFFD || r == 0x2028 || r == 0x2029 {
			r = ' '
		}
		out = append(out, string(r)...)
	}
	return string(out)
}
