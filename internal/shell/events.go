package shell

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// heartbeat is how often an idle event stream says that it is alive, so that
// proxies do not close it.
const heartbeat = 25 * time.Second

// maxStreams is how many event and log streams one account may hold open.
const maxStreams = 64

// streamLimit counts open streams by account.
type streamLimit struct {
	mu   sync.Mutex
	open map[sandstorm.AccountID]int
}

// enter counts one more stream; the caller calls done when it ends.
func (l *streamLimit) enter(who sandstorm.AccountID) (done func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[sandstorm.AccountID]int{}
	}
	if l.open[who] >= maxStreams {
		return nil, sandstorm.Errorf(sandstorm.Exhausted, "request.too-many-streams", "%d streams open", maxStreams)
	}
	l.open[who]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open[who]--; l.open[who] <= 0 {
			delete(l.open, who)
		}
	}, nil
}

// events tells a page what to fetch again. It carries names only, so that what
// may be seen is decided in one place, when the page is fetched.
func (s *Shell) events(q *request) error {
	done, err := s.streams.enter(q.account.ID)
	if err != nil {
		return err
	}
	defer done()
	ctx := q.r.Context()
	names := s.Events.Subscribe(ctx, q.account.ID)
	q.w.Header().Set("Content-Type", "text/event-stream")
	q.w.Header().Set("X-Accel-Buffering", "no")
	rc := http.NewResponseController(q.w)
	send := func(text string) bool {
		_, err := fmt.Fprint(q.w, text)
		return err == nil && rc.Flush() == nil
	}
	if !send("retry: 3000\n\n") {
		return nil
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case name, ok := <-names:
			if !ok {
				return nil
			}
			if strings.ContainsAny(name, "\r\n") {
				continue
			}
			if !send("event: change\ndata: " + name + "\n\n") {
				return nil
			}
		case <-tick.C:
			if !send(": alive\n\n") {
				return nil
			}
		}
	}
}
