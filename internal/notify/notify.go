// Package notify tells open pages that something changed. It carries names of
// what to look at again ("grains", "grain:ID", "attempt:ID"), never contents:
// the page refetches, so that permissions are checked in one place.
package notify

import (
	"context"
	"sync"

	"github.com/sandstorm-go/sandstorm"
)

// All is what a subscriber gets in place of names that it was too slow to take:
// look at everything again.
const All = "all"

// queue is how many names may wait for one subscriber.
const queue = 32

// Hub connects those who change things with those who show them. The zero value
// is ready to use.
type Hub struct {
	mu   sync.Mutex
	subs map[sandstorm.AccountID]map[chan string]struct{}
}

// Publish tells the account's open pages that name changed. It never blocks.
func (h *Hub) Publish(who sandstorm.AccountID, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.subs[who] {
		send(ch, name)
	}
}

// send queues name. A full queue is replaced by a single All: the subscriber
// learns no less, only less exactly.
func send(ch chan string, name string) {
	select {
	case ch <- name:
		return
	default:
	}
	for {
		select {
		case <-ch:
		default:
			// Only publishers fill the queue, and they hold the lock.
			ch <- All
			return
		}
	}
}

// Subscribe returns the names that concern the account until ctx is done; then
// the channel is closed.
func (h *Hub) Subscribe(ctx context.Context, who sandstorm.AccountID) <-chan string {
	ch := make(chan string, queue)
	h.mu.Lock()
	if h.subs == nil {
		h.subs = map[sandstorm.AccountID]map[chan string]struct{}{}
	}
	if h.subs[who] == nil {
		h.subs[who] = map[chan string]struct{}{}
	}
	h.subs[who][ch] = struct{}{}
	h.mu.Unlock()
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.subs[who], ch)
		if len(h.subs[who]) == 0 {
			delete(h.subs, who)
		}
		close(ch)
	})
	return ch
}
