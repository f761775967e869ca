package pkgstore

import (
	"encoding/json"
	"sync"

	"github.com/sandstorm-go/sandstorm"
)

// Limits of the cache: a package's texts can be megabytes if it wants to annoy.
const (
	cacheEntries   = 128
	cacheEntrySize = 256 << 10
)

// cache holds packages without their pictures, so that starting a grain need
// not parse a manifest. Packages never change; they only go.
type cache struct {
	mu      sync.Mutex
	m       map[sandstorm.PackageID]*sandstorm.Package
	removed int // counts removals
}

// now is to be passed to put by who is about to read a package from disk.
func (c *cache) now() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.removed
}

func (c *cache) get(id sandstorm.PackageID) *sandstorm.Package {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m[id]
}

// put keeps p unless some package was removed since it began to be read: it may
// have been this one.
func (c *cache) put(p *sandstorm.Package, began int) {
	if b, err := json.Marshal(p); err != nil || len(b) > cacheEntrySize {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.removed != began {
		return
	}
	if c.m == nil {
		c.m = make(map[sandstorm.PackageID]*sandstorm.Package)
	}
	if len(c.m) >= cacheEntries {
		for id := range c.m { // any one
			delete(c.m, id)
			break
		}
	}
	c.m[p.ID] = p
}

func (c *cache) remove(id sandstorm.PackageID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.m, id)
	c.removed++
}
