package appindex

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// watcher ends a request when no byte has moved for a while, however long the
// whole takes: an upload of a gigabyte over a slow line is fine.
type watcher struct {
	stall  time.Duration
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

func watchProgress(ctx context.Context, stall time.Duration) (*watcher, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watcher{stall: stall, cancel: cancel}
	w.timer = time.AfterFunc(stall, func() { cancel(fmt.Errorf("no answer for %v", stall)) })
	return w, ctx
}

// stop ends the watch. The transport may still read a little of the body after
// the response; nothing is reported any more.
func (w *watcher) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.timer.Stop()
	w.cancel(nil)
}

// reader passes r on, and tells report how much was read of it so far. It hides
// other methods of r.
func (w *watcher) reader(r io.Reader, report func(int64)) io.Reader {
	return &watched{w: w, r: r, report: report}
}

type watched struct {
	w      *watcher
	r      io.Reader
	report func(int64)
	moved  int64
}

// Read implements io.Reader.
func (r *watched) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	if n > 0 && !r.w.stopped {
		r.w.timer.Reset(r.w.stall)
		if r.moved += int64(n); r.report != nil {
			r.report(r.moved)
		}
	}
	return n, err
}
