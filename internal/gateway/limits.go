package gateway

import (
	"sync"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// fieldPool keeps the field lists of requests.
var fieldPool = sync.Pool{New: func() any { f := make([]bridge.Field, 0, 32); return &f }}

// inFlight counts the requests of each session that are under way. It holds an
// entry only while there are any, and is asked only after the session was
// proved, so it cannot be filled from outside.
type inFlight struct {
	max int
	mu  sync.Mutex
	n   map[sandstorm.HostID]int
}

func (f *inFlight) enter(host sandstorm.HostID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n[host] >= f.max {
		return &bridge.Failure{Status: 503, Err: sandstorm.Errorf(sandstorm.Exhausted, "session.busy",
			"more than %d requests at a time on host %s", f.max, host.Short())}
	}
	if f.n == nil {
		f.n = make(map[sandstorm.HostID]int)
	}
	f.n[host]++
	return nil
}

func (f *inFlight) leave(host sandstorm.HostID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n[host]--; f.n[host] == 0 {
		delete(f.n, host)
	}
}
