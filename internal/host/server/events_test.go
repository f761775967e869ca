package server

import (
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/host"
)

// TestSlowWatcherIsCutOff: nobody is held up by who does not read, and it is
// told that it missed something.
func TestSlowWatcherIsCutOff(t *testing.T) {
	var e events
	slow, quick := e.watch(), e.watch()
	for range watcherQueue + 10 {
		e.publish(host.Event{Grain: "g"})
		<-quick.queue
	}
	n := 0
	for range slow.queue { // ends only if the queue was closed
		n++
	}
	if n != watcherQueue {
		t.Errorf("the slow one got %d events", n)
	}
	e.unwatch(slow)
	e.unwatch(quick)
	if len(e.watchers) != 0 {
		t.Error("watchers are left")
	}
}
