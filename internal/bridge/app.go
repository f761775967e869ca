package bridge

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
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
	waits    waits
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
	a := &App{opts: opts, waits: normalWaits, open: make(map[*conn]struct{})}
	a.touch()
	return a
}

// InFlight is the number of requests and WebSockets that are open now.
func (a *App) InFlight() int { return int(a.inFlight.Load()) }

// LastUse is when bytes last went to or came from the app.
func (a *App) LastUse() time.Time { return time.Unix(0, a.lastUse.Load()) }

// touch notes that the app is in use, and returns the time.
func (a *App) touch() time.Time {
	now := time.Now()
	a.lastUse.Store(now.UnixNano())
	return now
}

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
