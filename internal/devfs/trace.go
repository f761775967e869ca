package devfs

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// trace is the set of paths that were used.
type trace struct {
	mu     sync.Mutex
	paths  map[string]struct{}
	latest time.Time // of a first use
}

func (t *trace) init() { t.paths, t.latest = map[string]struct{}{}, time.Now() }

// use notes a path. The root is in every package.
func (t *trace) use(path string) {
	if path == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.paths[path]; !known {
		t.paths[path] = struct{}{}
		t.latest = time.Now()
	}
}

func (t *trace) list() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.paths))
}

func (t *trace) idle() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Since(t.latest)
}
