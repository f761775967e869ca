package notify

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

func TestPublish(t *testing.T) {
	h := New()
	ctx, cancel := context.WithCancel(t.Context())
	one, two, other := h.Subscribe(ctx, "alice"), h.Subscribe(t.Context(), "alice"), h.Subscribe(t.Context(), "bob")
	h.Publish("alice", "grains")
	if a, b := <-one, <-two; a != "grains" || b != "grains" {
		t.Errorf("got %q and %q", a, b)
	}
	select {
	case name := <-other:
		t.Errorf("bob was told of %q", name)
	default:
	}
	cancel()
	if name, open := <-one; open {
		t.Errorf("got %q after the end", name)
	}
	h.Publish("alice", "apps")
	if name := <-two; name != "apps" {
		t.Errorf("got %q", name)
	}
	h.Publish("nobody", "x")
}

// A reader that does not read costs no memory and is told to fetch all.
func TestSlowReader(t *testing.T) {
	h := New()
	ctx, cancel := context.WithCancel(t.Context())
	c := h.Subscribe(ctx, "alice")
	for i := range 10 * backlog {
		h.Publish("alice", fmt.Sprint("grain:", i))
	}
	cancel()
	var got []string
	for name := range c {
		got = append(got, name)
	}
	if len(got) == 0 || len(got) > backlog || got[0] != Refetch {
		t.Errorf("%d names, first %q", len(got), got[:min(1, len(got))])
	}
}

func TestManyListeners(t *testing.T) {
	h := New()
	for range maxSubscribers {
		h.Subscribe(t.Context(), "alice")
	}
	if _, open := <-h.Subscribe(t.Context(), "alice"); open {
		t.Error("one listener too many")
	}
}

func TestConcurrent(t *testing.T) {
	h := New()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				ctx, cancel := context.WithCancel(t.Context())
				c := h.Subscribe(ctx, "alice")
				h.Publish("alice", "x")
				<-c
				cancel()
				for range c {
				}
			}
		})
	}
	wg.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subs) != 0 {
		t.Errorf("%d accounts are left", len(h.subs))
	}
}
