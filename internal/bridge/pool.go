package bridge

import (
	"context"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// take returns a connection from the pool, or nil if there is none. check asks
// for one that is known to be alive.
func (a *App) take(now time.Time, check bool) *conn {
	oldest := now.Add(-keepIdle)
	for {
		a.mu.Lock()
		n := len(a.idle)
		if n == 0 {
			a.mu.Unlock()
			return nil
		}
		c := a.idle[n-1]
		a.idle[n-1], a.idle = nil, a.idle[:n-1]
		a.mu.Unlock()
		if c.idleSince.After(oldest) && (!check || c.alive()) {
			c.reused = true
			return c
		}
		a.drop(c)
	}
}

// dial opens a new connection.
func (a *App) dial(ctx context.Context) (*conn, error) {
	a.mu.Lock()
	closed, before := a.closed, a.dialled
	a.mu.Unlock()
	if closed {
		return nil, errGone()
	}
	nc, err := a.opts.Dial(ctx)
	if err != nil {
		return nil, &Failure{Status: sandstorm.KindOf(err).HTTPStatus(), Unsent: true, Err: err}
	}
	c := &conn{Conn: nc, buf: make([]byte, connBuffer), before: before}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		nc.Close()
		return nil, errGone()
	}
	if a.narrow {
		a.dropIdle() // one that came back in the meantime would block this one
	}
	a.dialled++
	c.seq = a.dialled
	a.open[c] = struct{}{}
	return c, nil
}

func errGone() error {
	return &Failure{Status: 503, Unsent: true, Err: sandstorm.Errorf(sandstorm.Unavailable, "bridge.gone", "the grain was stopped")}
}

// put returns a connection whose response was read to its end just now.
func (a *App) put(c *conn, now time.Time) {
	if len(c.buf) != connBuffer {
		c.buf = make([]byte, connBuffer)
	}
	c.r, c.w = 0, 0
	a.mu.Lock()
	if a.closed || len(a.idle) >= maxIdle || a.blocks() || c.aborted.Load() {
		a.dropLocked(c)
		a.mu.Unlock()
		return
	}
	c.idleSince = now
	a.idle = append(a.idle, c)
	if !a.armed {
		a.armJanitor()
	}
	a.mu.Unlock()
}

// drop closes a connection that cannot be used again.
func (a *App) drop(c *conn) {
	a.mu.Lock()
	a.dropLocked(c)
	a.mu.Unlock()
}

func (a *App) dropLocked(c *conn) {
	if _, ok := a.open[c]; !ok {
		return
	}
	delete(a.open, c)
	if c.served {
		a.served--
	}
	if c.starving {
		a.starving--
	}
	c.Close()
}

func (a *App) dropIdle() {
	for i, c := range a.idle {
		a.idle[i] = nil
		a.dropLocked(c)
	}
	a.idle = a.idle[:0]
}

// armJanitor starts the timer that closes idle connections when they are old.
func (a *App) armJanitor() {
	a.armed = true
	if a.janitor == nil {
		a.janitor = time.AfterFunc(keepIdle, a.clean)
	} else {
		a.janitor.Reset(keepIdle)
	}
}

func (a *App) clean() {
	a.mu.Lock()
	defer a.mu.Unlock()
	oldest := time.Now().Add(-keepIdle)
	stale := 0
	for stale < len(a.idle) && !a.idle[stale].idleSince.After(oldest) {
		stale++
	}
	for _, c := range a.idle[:stale] {
		a.dropLocked(c)
	}
	n := copy(a.idle, a.idle[stale:])
	clear(a.idle[n:])
	a.armed = false
	if a.idle = a.idle[:n]; n > 0 {
		a.armJanitor()
	}
}
