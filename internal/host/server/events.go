package server

import (
	"sync"

	"github.com/sandstorm-go/sandstorm/internal/host"
)

// watcherQueue is how many events may wait for one watcher. One that is
// further behind is cut off and has to list the grains anew.
const watcherQueue = 256

// events hands out what happens to all who watch.
type events struct {
	mu       sync.Mutex
	watchers map[*watcher]struct{}
}

type watcher struct {
	queue chan host.Event // closed if the watcher was too slow
}

func (e *events) watch() *watcher {
	w := &watcher{queue: make(chan host.Event, watcherQueue)}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.watchers == nil {
		e.watchers = map[*watcher]struct{}{}
	}
	e.watchers[w] = struct{}{}
	return w
}

func (e *events) unwatch(w *watcher) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.watchers, w)
}

func (e *events) publish(ev host.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for w := range e.watchers {
		select {
		case w.queue <- ev:
		default:
			delete(e.watchers, w)
			close(w.queue)
		}
	}
}
