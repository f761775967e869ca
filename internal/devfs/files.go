package devfs

import (
	"sync"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// file is an open file. All who have opened the same node share it, so that an
// app that opens its libraries a thousand times costs this process one
// descriptor each.
type file struct {
	node    uint64
	fd      int // -1: content, or nothing
	content []byte
	users   int
	backing int32 // the kernel reads by itself if > 0
}

// files are the open files, by node and by handle. A node's handle is its
// number: handles need not differ.
type files struct {
	mu   sync.Mutex
	open map[uint64]*file
}

func (o *files) init() { o.open = map[uint64]*file{} }

// share adds a user to the node's file if it is open already.
func (o *files) share(node uint64) *file {
	o.mu.Lock()
	defer o.mu.Unlock()
	fl := o.open[node]
	if fl != nil {
		fl.users++
	}
	return fl
}

// add makes fl the node's open file, unless somebody was faster; then fl is
// given up and the other one returned.
func (o *files) add(fl *file, server *fuse.Server) *file {
	o.mu.Lock()
	defer o.mu.Unlock()
	if other := o.open[fl.node]; other != nil {
		fl.free(server)
		fl = other
	}
	fl.users++
	o.open[fl.node] = fl
	return fl
}

func (o *files) get(node uint64) *file {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open[node]
}

func (o *files) release(node uint64, server *fuse.Server) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fl := o.open[node]
	if fl == nil {
		return
	}
	if fl.users--; fl.users == 0 {
		delete(o.open, node)
		fl.free(server)
	}
}

// closeAll is for after the end: a descriptor that is still being read must not
// become that of another file.
func (o *files) closeAll(server *fuse.Server) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for node, fl := range o.open {
		delete(o.open, node)
		fl.free(server)
	}
}

func (fl *file) free(server *fuse.Server) {
	if fl.backing > 0 {
		server.UnregisterBackingFd(fl.backing)
		fl.backing = 0
	}
	if fl.fd >= 0 {
		_ = unix.Close(fl.fd)
		fl.fd = -1
	}
}
