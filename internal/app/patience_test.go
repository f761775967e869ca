package app

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// dripping gives size bytes after each pause, or nothing at all.
type dripping struct {
	ctx   context.Context
	pause time.Duration
	size  int
}

func (d *dripping) Read(b []byte) (int, error) {
	select {
	case <-time.After(d.pause):
		return min(d.size, len(b)), nil
	case <-d.ctx.Done(): // as the body of a request ends with its handler
		return 0, d.ctx.Err()
	}
}

// Whoever sends a package slowly, or not at all, holds one of the host's few
// places; it must not be for long.
func TestSlowSourcesEnd(t *testing.T) {
	for name, c := range map[string]struct {
		pause  time.Duration
		size   int
		within time.Duration // 0: it may go on
	}{
		"silence":                 {1000 * time.Hour, 1, patience},
		"a byte now and then":     {10 * time.Second, 1, patience + 10*time.Second},
		"a little below the rate": {time.Second, minRate - 1024, 20 * time.Minute},
		"the rate":                {time.Second, minRate, 0},
		"with breaks":             {50 * time.Second, 1 << 20, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			src := &dripping{pause: c.pause, size: c.size}
			ctx, guarded, done := withPatience(t.Context(), src)
			defer done()
			src.ctx = ctx
			began := time.Now()
			var err error
			for buf := make([]byte, 1<<20); err == nil && time.Since(began) < time.Hour; {
				_, err = guarded.Read(buf)
			}
			took := time.Since(began)
			if (err != nil) != (c.within > 0) || err != nil && took > c.within {
				t.Errorf("%s: ended after %v with %v", name, took, err)
			}
			if c.within > 0 && !errors.Is(err, errSlow) && context.Cause(ctx) != errSlow {
				t.Errorf("%s: %v, %v", name, err, context.Cause(ctx))
			}
		})
	}
}

// The time that the host makes a source wait is not the source's.
func TestWaitingForATurnIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, guarded, done := withPatience(t.Context(), io.LimitReader(zeros{}, 3))
		defer done()
		for range 3 {
			time.Sleep(time.Hour)
			if n, err := guarded.Read(make([]byte, 1)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		if _, err := guarded.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
		if !sandstorm.IsKind(errSlow, sandstorm.Unavailable) {
			t.Error(errSlow)
		}
	})
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
