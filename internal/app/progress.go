package app

import (
	"io"
	"sync/atomic"
	"time"
)

// noticeEvery is how often pages are told that an attempt has gone on.
const noticeEvery = 250 * time.Millisecond

// counted notes in an attempt how much of its package has come. It counts here
// and not at the host, whose figures come now and then and stop, with the last
// one missing, when a download stalls.
type counted struct {
	s       *Service
	run     *running
	src     io.Reader
	pending atomic.Bool // a notice is on its way
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	if n > 0 {
		c.run.set(func(a *Attempt) {
			a.Received += int64(n)
			if a.Total >= 0 && a.Received >= a.Total {
				a.State = StateVerifying
			}
		})
		if !c.pending.Swap(true) {
			time.AfterFunc(noticeEvery, c.notice)
		}
	}
	return n, err
}

func (c *counted) notice() {
	c.pending.Store(false)
	c.s.opts.Notify.Publish(c.run.owner, "attempt:"+c.run.id)
}
