// Package notify tells open pages that something changed, by name, so that they
// refetch it: permission checks stay where the data is. It carries no data.
//
// It lives in memory: a page that was not listening fetches everything anyway.
package notify

import (
	"context"
	"sync"

	"github.com/sandstorm-go/sandstorm"
)

// Refetch is sent instead of single names to a reader that is too slow: anything
// may have changed.
const Refetch = "refetch"

const (
	// backlog is how many names wait for a slow reader.
	backlog = 32
	// maxSubscribers is how many pages one account can have listening.
	maxSubscribers = 256
)

// Hub passes names on. Its zero value is ready; its methods may be called
// concurrently.
type Hub struct {
	mu   sync.Mutex
	subs map[sandstorm.AccountID]map[chan string]struct{}
}

// New makes a Hub.
func New() *Hub { return &Hub{} }

// Publish tells all pages of the account. It never waits for them.
func (h *Hub) Publish(who sandstorm.AccountID, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.subs[who] {
		select {
		case c <- name:
		default:
			// Only Publish sends, and under the lock: what is drained here
			// leaves room for certain.
			drain(c)
			c <- Refetch
		}
	}
}

func drain(c chan string) {
	for {
		select {
		case <-c:
		default:
			return
		}
	}
}

// Subscribe returns the names that concern the account, until ctx is done; then
// the channel is closed. Beyond 256 listeners of one account it is closed at
// once.
func (h *Hub) Subscribe(ctx context.Context, who sandstorm.AccountID) <-chan string {
	c := make(chan string, backlog)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subs[who]) >= maxSubscribers {
		close(c)
		return c
	}
	if h.subs == nil {
		h.subs = map[sandstorm.AccountID]map[chan string]struct{}{}
	}
	if h.subs[who] == nil {
		h.subs[who] = map[chan string]struct{}{}
	}
	h.subs[who][c] = struct{}{}
	context.AfterFunc(ctx, func() { h.remove(who, c) })
	return c
}

func (h *Hub) remove(who sandstorm.AccountID, c chan string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs[who], c)
	if len(h.subs[who]) == 0 {
		delete(h.subs, who)
	}
	close(c)
}
