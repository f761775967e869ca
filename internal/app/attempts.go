package app

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

const (
	maxUnderWay  = 3              // attempts of one account at a time
	keepAttempts = 24 * time.Hour // how long the outcome can be looked up
)

var errCanceled = errors.New("canceled by the user")

// attempts are the tries of all accounts. An attempt belongs to the account
// that made it: another can neither see nor cancel it, and the failure of one
// does not touch another's try of the same package (packages.md §11).
type attempts struct {
	now  func() time.Time
	mu   sync.Mutex
	byID map[string]*running
}

type running struct {
	id     string
	owner  sandstorm.AccountID
	begun  time.Time
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	attempt Attempt
}

func (r *running) set(f func(*Attempt)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.attempt)
}

func (r *running) snapshot() Attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempt
}

func (r *running) underWay() bool {
	switch r.snapshot().State {
	case StateDownloading, StateVerifying:
		return true
	}
	return false
}

// begin makes an attempt whose context ends when it is canceled.
func (t *attempts) begin(ctx context.Context, owner sandstorm.AccountID, total int64) (context.Context, *running, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	busy := 0
	for id, r := range t.byID {
		switch {
		case r.underWay():
			if r.owner == owner {
				busy++
			}
		case t.now().Sub(r.begun) > keepAttempts:
			delete(t.byID, id)
		}
	}
	if busy >= maxUnderWay {
		return nil, nil, sandstorm.Errorf(sandstorm.Exhausted, "app.too-many-installs", "%d installs are under way", busy)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	r := &running{id: rand.Text(), owner: owner, begun: t.now(), cancel: cancel}
	r.attempt = Attempt{ID: r.id, State: StateDownloading, Total: total}
	t.byID[r.id] = r
	return ctx, r, nil
}

func (t *attempts) find(owner sandstorm.AccountID, id string) (*running, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.byID[id]
	if r == nil || r.owner != owner {
		return nil, sandstorm.Errorf(sandstorm.NotFound, "app.no-such-attempt", "no install attempt %.40q of %s", id, owner)
	}
	return r, nil
}

// Attempt returns an attempt of the account.
func (s *Service) Attempt(_ context.Context, who *sandstorm.Account, id string) (*Attempt, error) {
	r, err := s.attempts.find(who.ID, id)
	if err != nil {
		return nil, err
	}
	a := r.snapshot()
	return &a, nil
}

// Cancel ends an attempt of the account that is under way.
func (s *Service) Cancel(_ context.Context, who *sandstorm.Account, id string) error {
	r, err := s.attempts.find(who.ID, id)
	if err != nil {
		return err
	}
	r.cancel(errCanceled)
	return nil
}
