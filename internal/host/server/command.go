package server

import (
	"bytes"
	"errors"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// bridgePath is the program whose work is done outside the sandbox.
const bridgePath = "/sandstorm-http-bridge"

// command is what a grain will execute.
type command struct {
	program   string // the file to execute; empty means argv[0]
	argv, env []string
	port      int // where the app will listen, for the bridge
	// open returns the package's files if no path leads there.
	open func() (*os.File, error)
}

// selectCommand returns the command that a request names (sandbox.md §2).
func selectCommand(m *sandstorm.Manifest, action int) (*sandstorm.Command, error) {
	if action == host.ActionContinue {
		if m.Continue == nil {
			return nil, startError(sandstorm.Unavailable, "grain.no-continue",
				"command", "Package manifest defines no continueCommand.", nil)
		}
		return m.Continue, nil
	}
	for i := range m.Actions {
		if m.Actions[i].Index == action {
			return &m.Actions[i].Command, nil
		}
	}
	return nil, startError(sandstorm.NotFound, "grain.no-action", "command",
		"Package manifest defines no action "+strconv.Itoa(action)+".", nil)
}

// hoist turns the command of a package with the HTTP bridge into that of the
// app behind it, as the bridge would have run it (sandbox.md §3).
func hoist(c *sandstorm.Command) (*command, error) {
	argv := c.Argv
	if len(argv) < 3 || argv[0] != bridgePath {
		return nil, startError(sandstorm.Unavailable, "grain.raw-api", "command",
			"This app needs the raw API, which comes later.", nil)
	}
	port, err := strconv.ParseUint(argv[1], 10, 16)
	if err != nil || port == 0 {
		return nil, startError(sandstorm.Unavailable, "grain.bad-port", "command",
			"The command of the HTTP bridge names no port: "+strconv.Quote(argv[1])+".", nil)
	}
	argv = argv[2:]
	if argv[0] == "--" {
		argv = argv[1:]
	}
	if len(argv) == 0 || argv[0] == "" {
		return nil, startError(sandstorm.Unavailable, "grain.no-command", "command",
			"The command of the HTTP bridge names no program.", nil)
	}
	return &command{argv: argv, env: bridgeEnv(c.Environ), port: int(port)}, nil
}

// bridgeEnv adds what the bridge sets before it runs the app.
func bridgeEnv(environ []string) []string {
	added := []string{
		"http_proxy=http://127.0.0.1:15239/",
		"HTTP_PROXY=http://127.0.0.1:15239/",
		"no_proxy=localhost,127.0.0.1",
	}
	out := make([]string, 0, len(environ)+len(added))
	for _, kv := range environ {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "http_proxy", "HTTP_PROXY", "no_proxy":
		default:
			out = append(out, kv)
		}
	}
	return append(out, added...)
}

// defaultPath is where execvp looks if there is no PATH.
const defaultPath = "/bin:/usr/bin"

// resolve finds the program of c as execvp would inside the grain: names
// without a slash along PATH, and files without a format of their own by
// /bin/sh. root and storage are the grain's / and /var.
func (c *command) resolve(root, storage string) error {
	tree := &grainTree{root: root, storage: storage, open: c.open}
	name := c.argv[0]
	if strings.Contains(name, "/") {
		// A missing file is reported by the execution itself.
		if script, err := tree.executable(path.Join("/", name)); err == nil && script {
			c.argv = append([]string{"/bin/sh"}, c.argv...)
		}
		return nil
	}
	failure := unix.ENOENT
	for _, dir := range strings.Split(searchPath(c.env), ":") {
		file := path.Join("/", dir, name) // an empty or relative entry starts at the working directory, /
		script, err := tree.executable(file)
		if err != nil {
			if errors.Is(err, unix.EACCES) {
				failure = unix.EACCES
			}
			continue
		}
		c.program = file // argv[0] stays the bare name
		if script {
			c.program = ""
			c.argv = append([]string{"/bin/sh", file}, c.argv[1:]...)
		}
		return nil
	}
	return startError(sandstorm.Unavailable, "grain.program", "find "+name,
		"The program is not in the PATH of the package's command.", failure)
}

func searchPath(env []string) string {
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, "PATH="); ok {
			return value
		}
	}
	return defaultPath
}

// grainTree looks at files as they are inside the grain. Symlinks lead where
// they would lead there, never out.
type grainTree struct {
	root, storage string
	open          func() (*os.File, error) // instead of root, if set
}

// executable reports whether file can be executed, and if so whether it is a
// script that names no interpreter.
func (t *grainTree) executable(file string) (script bool, err error) {
	top, file, err := t.top(file)
	if err != nil {
		return false, err
	}
	defer unix.Close(top)
	// O_NONBLOCK, because the file may be a FIFO.
	fd, err := unix.Openat2(top, file, &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return false, err
	}
	f := os.NewFile(uintptr(fd), file)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Mode&0o111 == 0 {
		return false, unix.EACCES
	}
	head := make([]byte, 4)
	n, err := unix.Pread(fd, head, 0)
	if err != nil {
		return false, err
	}
	head = head[:n]
	return !bytes.HasPrefix(head, []byte("#!")) && !bytes.Equal(head, []byte("\x7fELF")), nil
}

// top opens the directory that file lies in, on the outside, and returns its
// path from there.
func (t *grainTree) top(file string) (dir int, rest string, err error) {
	if rest, ok := strings.CutPrefix(file, "/var/"); ok {
		dir, err = openDir(unix.AT_FDCWD, t.storage)
		return dir, "/" + rest, err
	}
	if t.open == nil {
		dir, err = openDir(unix.AT_FDCWD, t.root)
		return dir, file, err
	}
	f, err := t.open()
	if err != nil {
		return -1, "", err
	}
	defer f.Close()
	dir, err = unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	return dir, file, err
}

// startError is a failure to start, as data for whoever asked.
func startError(kind sandstorm.Kind, key, step, hint string, cause error) error {
	data := &host.StartError{Step: step, Hint: hint}
	var errno syscall.Errno
	if errors.As(cause, &errno) {
		data.Errno = unix.ErrnoName(errno)
	}
	if hint == "" {
		return &sandstorm.Error{Kind: kind, Key: key, Err: data}
	}
	return sandstorm.Errorf(kind, key, "%s %w", hint, data)
}
