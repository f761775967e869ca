package devfs

import (
	"strings"
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// node is what the kernel knows by a number.
type node struct {
	id      uint64
	path    string
	ident   ident
	lookups uint64 // how often the kernel was told its number
}

type nodeKey struct {
	path  string
	ident ident
}

// nodes are all nodes that the kernel knows. The root is number 1 for ever.
type nodes struct {
	mu     sync.Mutex
	byID   map[uint64]*node
	byKey  map[nodeKey]*node
	last   uint64
	absent []absence
	cache  time.Duration // how long an absence is believed
}

// absence is a name that the kernel was told does not exist.
type absence struct {
	parent uint64
	name   string
	told   time.Time
}

// maxAbsent bounds the absences that Refresh can take back; the others are
// believed until their time is over.
const maxAbsent = 1 << 16

func (n *nodes) init(cache time.Duration) {
	n.cache = cache
	root := &node{id: fuse.FUSE_ROOT_ID, lookups: 1}
	n.byID = map[uint64]*node{root.id: root}
	n.byKey = map[nodeKey]*node{}
	n.last = root.id
}

// get is a copy of a node; ok is false if the kernel asks for one that it has
// forgotten.
func (n *nodes) get(id uint64) (nd node, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.byID[id]
	if !ok {
		return node{}, false
	}
	return *p, true
}

// told returns the number of what lies at path, and counts that the kernel gets
// to know it once more.
func (n *nodes) told(path string, as ident) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := nodeKey{path, as}
	nd := n.byKey[key]
	if nd == nil {
		n.last++ // never used again: no generations needed
		nd = &node{id: n.last, path: path, ident: as}
		n.byID[nd.id], n.byKey[key] = nd, nd
	}
	nd.lookups++
	return nd.id
}

func (n *nodes) forget(id, lookups uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	nd := n.byID[id]
	if nd == nil || id == fuse.FUSE_ROOT_ID {
		return
	}
	nd.lookups -= min(nd.lookups, lookups)
	if nd.lookups == 0 {
		delete(n.byID, id)
		delete(n.byKey, nodeKey{nd.path, nd.ident})
	}
}

// toldAbsent remembers that the kernel believes name not to exist.
func (n *nodes) toldAbsent(parent uint64, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	old := 0
	for old < len(n.absent) && (now.Sub(n.absent[old].told) > n.cache || len(n.absent)-old >= maxAbsent) {
		old++
	}
	n.absent = append(n.absent[old:], absence{parent, name, now})
}

// name is an entry of a directory in the kernel's cache.
type name struct {
	parent uint64
	name   string
}

// cached lists everything that the kernel may hold, and forgets the absences.
func (n *nodes) cached() (ids []uint64, names []name) {
	n.mu.Lock()
	defer n.mu.Unlock()
	dirs := map[string]uint64{}
	for id, nd := range n.byID {
		if nd.ident.kind == 0 || nd.ident.kind == fuse.S_IFDIR {
			dirs[nd.path] = id
		}
	}
	for id, nd := range n.byID {
		ids = append(ids, id)
		if isMountPoint(nd.path) {
			continue
		}
		dir, base := split(nd.path)
		if parent, ok := dirs[dir]; ok && base != "" {
			names = append(names, name{parent, base})
		}
	}
	for _, a := range n.absent {
		names = append(names, name{a.parent, a.name})
	}
	n.absent = nil
	return ids, names
}

// isMountPoint reports whether a grain has something of its own at path: its data,
// above all. A kernel that is told to forget such a name takes away what is
// mounted there, in every grain; and nothing ever changes about these names.
func isMountPoint(path string) bool {
	switch path {
	case "dev", "tmp", "var", "proc", "proc/cpuinfo":
		return true
	}
	return false
}

func split(path string) (dir, base string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

func join(dir, base string) string {
	if dir == "" {
		return base
	}
	return dir + "/" + base
}

// Refresh makes the kernel forget what it knows of the files, because they have
// changed.
func (f *FS) Refresh() {
	ids, names := f.nodes.cached()
	for _, n := range names {
		f.server.EntryNotify(n.parent, n.name) // ENOENT: it has forgotten already
	}
	for _, id := range ids {
		f.server.InodeNotify(id, 0, 0)
	}
}
