package bridge

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

const (
	// keepIdle is how long an unused connection is kept. It is below what
	// usual servers wait (gunicorn 2 s, Node.js 5 s), so that most often we are
	// the ones who close.
	keepIdle = 1500 * time.Millisecond
	// maxIdle bounds the unused connections of one app.
	maxIdle = 64
	// maxInFlight bounds the requests and WebSockets of one app.
	maxInFlight = 2048
	// patience is how long a response may take before idle connections are
	// suspected of holding it up.
	patience = 300 * time.Millisecond
)

// AppOptions describe a running instance of a grain's app.
type AppOptions struct {
	// Dial opens a connection to the app's HTTP port.
	Dial func(ctx context.Context) (net.Conn, error)
	// APIPath is the path prefix of API sessions (gateway.md §10).
	APIPath string
	Log     *slog.Logger // nil: nothing is logged
}

// App is one running instance of a grain: a pool of kept-alive connections into
// it. All methods may be called concurrently.
type App struct {
	opts     AppOptions
	inFlight atomic.Int64
	lastUse  atomic.Int64 // Unix nanoseconds

	mu      sync.Mutex
	closed  bool
	idle    []*conn // the most recently used one last
	open    map[*conn]struct{}
	dialled uint64      // counts connections
	janitor *time.Timer // closes idle connections; armed only while there are any
	armed   bool
	// Some servers handle one connection at a time, for as long as it is kept
	// alive. width is how many connections the app was seen to serve side by
	// side, served how many of the open ones it has accepted, starving how many
	// wait without ever having been answered. narrow is true once closing a kept
	// connection helped a starving one.
	width, served, starving int
	narrow                  bool
}

// NewApp makes an App for a grain that runs.
func NewApp(opts AppOptions) *App {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	a := &App{opts: opts, open: make(map[*conn]struct{})}
	a.touch()
	return a
}

// InFlight is the number of requests and WebSockets that are open now.
func (a *App) InFlight() int { return int(a.inFlight.Load()) }

// LastUse is when bytes last went to or came from the app.
func (a *App) LastUse() time.Time { return time.Unix(0, a.lastUse.Load()) }

func (a *App) touch() { a.lastUse.Store(time.Now().UnixNano()) }

// Close cuts all connections. Requests that were not sent yet fail with a
// Failure that is Unsent; those under way are aborted.
func (a *App) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.dropIdle()
	for c := range a.open {
		c.abort()
	}
}

// take returns a connection from the pool, or nil if there is none. check asks
// for one that is known to be alive.
func (a *App) take(check bool) *conn {
	oldest := time.Now().Add(-keepIdle)
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
	closed := a.closed
	a.mu.Unlock()
	if closed {
		return nil, errGone()
	}
	nc, err := a.opts.Dial(ctx)
	if err != nil {
		return nil, &Failure{Status: sandstorm.KindOf(err).HTTPStatus(), Unsent: true, Err: err}
	}
	c := &conn{Conn: nc, buf: make([]byte, connBuffer)}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		nc.Close()
		return nil, errGone()
	}
	a.dialled++
	c.seq = a.dialled
	a.open[c] = struct{}{}
	return c, nil
}

func errGone() error {
	return &Failure{Status: 503, Unsent: true, Err: sandstorm.Errorf(sandstorm.Unavailable, "bridge.gone", "the grain was stopped")}
}

// put returns a connection whose response was read to its end.
func (a *App) put(c *conn) {
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
	c.idleSince = time.Now()
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
