package notify_test

import (
	"context"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/notify"
)

func TestOnlyTheAccountHears(t *testing.T) {
	var hub notify.Hub
	alice := hub.Subscribe(t.Context(), "alice")
	bob := hub.Subscribe(t.Context(), "bob")
	hub.Publish("alice", "grains")
	if got := <-alice; got != "grains" {
		t.Errorf("alice got %q", got)
	}
	if len(bob) != 0 {
		t.Errorf("bob got %q, which is not his", <-bob)
	}
}

func TestSlowSubscriberGetsAll(t *testing.T) {
	var hub notify.Hub
	ch := hub.Subscribe(t.Context(), "alice")
	for range 1000 {
		hub.Publish("alice", "grains")
	}
	if n := len(ch); n > 32 {
		t.Errorf("%d names wait", n)
	}
	seen := map[string]bool{}
	for len(ch) > 0 {
		seen[<-ch] = true
	}
	if !seen[notify.All] {
		t.Errorf("got only %v: a name was lost", seen)
	}
}

func TestEndsWithContext(t *testing.T) {
	var hub notify.Hub
	ctx, cancel := context.WithCancel(t.Context())
	ch := hub.Subscribe(ctx, "alice")
	cancel()
	for range ch { // until it is closed
	}
	hub.Publish("alice", "grains") // must not panic
}
