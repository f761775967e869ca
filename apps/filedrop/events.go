package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// watchers are the open pages that want to know when a folder changes.
type watchers struct {
	mu   sync.Mutex
	open map[chan string]struct{}
}

// tell names the folder that changed. A page that does not keep up misses
// some; it looks again at whatever it hears of next.
func (w *watchers) tell(folder string) {
	if folder == "." {
		folder = ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		select {
		case c <- folder:
		default:
		}
	}
}

func (w *watchers) add(c chan string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == nil {
		w.open = map[chan string]struct{}{}
	}
	w.open[c] = struct{}{}
}

func (w *watchers) remove(c chan string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, c)
}

// ServeHTTP is an event stream: the path of each folder that changes.
func (w *watchers) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	changes := make(chan string, 64)
	w.add(changes)
	defer w.remove(changes)
	out := http.NewResponseController(rw)
	rw.Header().Set("Content-Type", "text/event-stream")
	rw.Header().Set("Cache-Control", "no-store")
	_, err := fmt.Fprint(rw, ": here\n\n")
	beat := time.NewTicker(25 * time.Second)
	defer beat.Stop()
	for err == nil {
		if err = out.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			_, err = fmt.Fprint(rw, ": still here\n\n")
		case folder := <-changes:
			var b []byte
			if b, err = json.Marshal(folder); err == nil {
				_, err = fmt.Fprintf(rw, "data: %s\n\n", b)
			}
		}
	}
}
