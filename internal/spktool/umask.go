package spktool

import (
	"io/fs"
	"sync"

	"golang.org/x/sys/unix"
)

// umask is the process's file mode mask, which can only be read by setting it.
var umask = sync.OnceValue(func() fs.FileMode {
	old := unix.Umask(0o077)
	unix.Umask(old)
	return fs.FileMode(old)
})
