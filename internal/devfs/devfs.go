// Package devfs shows a package under development as a file system, without
// copying it, and notes which files are used (packages.md §10). It answers FUSE
// requests on a descriptor that somebody else has mounted; what is to be seen
// comes from a Tree.
//
// The way of a request: raw.go takes it from the kernel, nodes.go knows which
// path it is about, view.go and source.go find what lies there now, trace.go
// notes the use.
package devfs

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Tree is what is shown. Its methods are called concurrently. Paths have no
// leading slash; the root is "".
type Tree interface {
	// Resolve tells what lies at path; fs.ErrNotExist if nothing does. It does
	// not follow symlinks, not even in the middle of a path.
	Resolve(path string) (*Entry, error)
	// Names are the entries of a directory, in any order, without duplicates.
	Names(dir string) ([]string, error)
}

// Entry is one path of a Tree: either something on this machine, if Source is
// set, or something generated.
type Entry struct {
	// Source is the absolute path of a file, directory or symlink on this
	// machine; empty if the entry is generated.
	Source string
	// Root is the absolute path that the source map names and at or below which
	// Source lies. It alone may be, or lead through, a symlink: below it none is
	// followed, so that a link that is swapped in at the wrong moment cannot
	// show files from elsewhere. Empty means "/", so that no link is followed.
	Root    string
	Content []byte // of a generated file
	Dir     bool   // a generated directory: implied by paths below it, or a mount point
	Exec    bool   // the generated file is executable
}

// Options of Serve. The zero value is good.
type Options struct {
	// Log gets what goes wrong in the file system itself; nil means nobody.
	Log *slog.Logger
	// CacheFor is how long the kernel may keep names, attributes and the
	// knowledge that there is no such file; zero means one second. Apps ask for
	// thousands of files when they start, most of them several times; a change
	// that nobody announces by Refresh is seen this much later.
	CacheFor time.Duration
}

const defaultCacheFor = time.Second

// FS is a file system that is being served.
type FS struct {
	tree   Tree
	log    *slog.Logger
	began  time.Time
	server *fuse.Server
	nodes  nodes
	files  files
	lists  lists
	trace  trace
	closed atomic.Bool
	served sync.WaitGroup
	cache  time.Duration
	direct atomic.Bool // the kernel may be given source files to read by itself
}

// Serve answers on device, an open /dev/fuse that is mounted or is about to be.
// It waits for the kernel's greeting, which comes with the mount, and returns
// once the file system can be used. The caller keeps device and may close it.
//
// The service ends when the file system is unmounted, and with the process.
func Serve(device *os.File, tree Tree, opts Options) (*FS, error) {
	f := newFS(tree, opts)
	fd, err := unix.FcntlInt(device.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	// go-fuse owns fd from here on, also if this fails.
	f.server, err = fuse.NewServer(&raw{RawFileSystem: fuse.NewDefaultRawFileSystem(), f: f},
		fmt.Sprintf("/dev/fd/%d", fd), f.mountOptions())
	if err != nil {
		return nil, fmt.Errorf("the file system of the app does not come up; is its FUSE device mounted? %w", err)
	}
	f.served.Go(f.server.Serve)
	return f, nil
}

func newFS(tree Tree, opts Options) *FS {
	f := &FS{tree: tree, log: opts.Log, cache: opts.CacheFor, began: time.Now()}
	if f.cache <= 0 {
		f.cache = defaultCacheFor
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	f.nodes.init(f.cache)
	f.files.init()
	f.lists.init()
	f.trace.init()
	f.direct.Store(os.Geteuid() == 0) // others may not, and are told so once
	return f
}

// Used are the paths that were used so far, sorted: files and directories that
// were opened, symlinks that were read, and empty files whose existence was
// asked for, as RubyGems does with its markers (packages.md §10).
func (f *FS) Used() []string { return f.trace.list() }

// Idle is how long ago a path was used for the first time.
func (f *FS) Idle() time.Duration { return f.trace.idle() }

// Wait returns once the file system was unmounted.
func (f *FS) Wait() { f.served.Wait() }

// Close stops showing files: whatever still uses the file system gets errors.
// It does not unmount, which is for whoever mounted it; only then everything is
// given back. Closing twice does nothing.
func (f *FS) Close() error {
	if !f.closed.Swap(true) {
		f.Refresh()
	}
	return nil
}
