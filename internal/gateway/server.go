package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"golang.org/x/sys/unix"
)

// Timeouts and limits of client connections (gateway.md §12). There is none for
// a whole request or response: long polls, streams and large bodies are normal,
// and the bridge bounds how long a body may stand still.
const (
	headTimeout = 15 * time.Second
	// idleTimeout is longer than the 5 s of the original, within which front
	// proxies ran into connections that were just being closed.
	idleTimeout = 75 * time.Second
	maxHead     = 64 << 10
	drainTime   = 10 * time.Second
	// stallTime is how long a client may take nothing of what is sent to it.
	stallTime = 2 * time.Minute
)

// Listener is one socket that the server accepts on.
type Listener struct {
	net.Listener
	// TLS is what to present; nil means plain HTTP.
	TLS *Certificates
	// Alternate marks a port other than the main one: it only redirects.
	Alternate bool
}

// Server accepts connections for a Gateway.
type Server struct {
	gw   *Gateway
	log  *slog.Logger
	base context.Context // ends when hijacked connections must go
	end  context.CancelFunc
	head time.Duration // see headTimeout
	idle time.Duration // see idleTimeout

	mu      sync.Mutex
	closing bool
	servers []*http.Server
}

// NewServer makes a Server; Serve starts it.
func NewServer(gw *Gateway) *Server {
	s := &Server{gw: gw, log: gw.opts.Log, head: headTimeout, idle: idleTimeout}
	s.base, s.end = context.WithCancel(context.Background())
	return s
}

// Serve accepts on l until Shutdown, and then returns nil. It may be called for
// several listeners, each in its own goroutine.
func (s *Server) Serve(l Listener) error {
	hs := &http.Server{
		Handler:           s.gw,
		ReadHeaderTimeout: s.head,
		IdleTimeout:       s.idle,
		MaxHeaderBytes:    maxHead,
		BaseContext:       func(net.Listener) context.Context { return s.base },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if l.Alternate {
		hs.Handler = s.gw.Redirect()
	}
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		l.Close()
		return nil
	}
	s.servers = append(s.servers, hs)
	s.mu.Unlock()
	var err error
	l.Listener = stallListener{l.Listener}
	if l.TLS != nil {
		hs.TLSConfig = l.TLS.config()
		hs.Handler = l.TLS.guard(hs.Handler)
		err = hs.ServeTLS(l.Listener, "", "")
	} else {
		err = hs.Serve(l.Listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return sandstorm.Errorf(sandstorm.Unavailable, "gateway.listen", "serve on %s: %w", l.Addr(), err)
}

// Shutdown stops accepting, gives the requests under way time to end (until ctx
// is done, and no longer than 10 s) and cuts the rest, WebSockets among it.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	servers := s.servers
	s.mu.Unlock()
	defer s.end()
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	var wait sync.WaitGroup
	errs := make([]error, len(servers))
	for i, hs := range servers {
		wait.Go(func() {
			if errs[i] = hs.Shutdown(ctx); errs[i] != nil {
				hs.Close()
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// stallListener makes the kernel give up connections whose client takes nothing.
// That bounds also what no deadline of ours covers, such as the last bytes of a
// response, and costs nothing per request.
type stallListener struct{ net.Listener }

// Accept implements net.Listener.
func (l stallListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			raw.Control(func(fd uintptr) {
				// It can only fail where the kernel does not know it.
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(stallTime.Milliseconds()))
			})
		}
	}
	return c, nil
}

// minTLS is what every browser of the last ten years speaks.
const minTLS = tls.VersionTLS12
