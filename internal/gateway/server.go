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

	mu      sync.Mutex
	closing bool
	servers []*http.Server
}

// NewServer makes a Server; Serve starts it.
func NewServer(gw *Gateway) *Server {
	s := &Server{gw: gw, log: gw.opts.Log}
	s.base, s.end = context.WithCancel(context.Background())
	return s
}

// Serve accepts on l until Shutdown, and then returns nil. It may be called for
// several listeners, each in its own goroutine.
func (s *Server) Serve(l Listener) error {
	hs := &http.Server{
		Handler:           s.gw,
		ReadHeaderTimeout: headTimeout,
		IdleTimeout:       idleTimeout,
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

// minTLS is what every browser of the last ten years speaks.
const minTLS = tls.VersionTLS12
