package app

import (
	"context"
	"io"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// A package must not come slower than this for long, because the host unpacks
// only a few at a time: somebody who sends nothing, or a byte now and then, would
// keep everybody else from installing.
const (
	patience = time.Minute // how long in all the source may fall behind minRate
	minRate  = 16 << 10    // bytes per second
)

var errSlow = sandstorm.Errorf(sandstorm.Unavailable, "host.source", "the package came too slowly")

// patient is a source whose slowness is bounded. What the other side does
// between two Reads costs it nothing: it may be waiting for its own turn.
type patient struct {
	src    io.Reader
	giveUp context.CancelCauseFunc // ends a Read that takes too long
	left   time.Duration
}

// withPatience returns a source and a context that ends when the source is too
// slow, or when the caller is done.
func withPatience(ctx context.Context, src io.Reader) (context.Context, io.Reader, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, &patient{src: src, giveUp: cancel, left: patience}, func() { cancel(nil) }
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	if p.left <= 0 {
		return 0, errSlow
	}
	timer := time.AfterFunc(p.left, func() { p.giveUp(errSlow) })
	defer timer.Stop()
	began := time.Now()
	n, err := p.src.Read(b)
	earned := time.Duration(n) * time.Second / minRate
	p.left = min(patience, p.left-time.Since(began)+earned)
	return n, err
}
