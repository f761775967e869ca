package trial

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/sandstorm-go/sandstorm/internal/bridge"
)

// pipes is an HTTP server in front of the app that can be reached from within
// this process only: on a port of the machine, anybody on it could use the app.
type pipes struct {
	server *http.Server
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	client *http.Transport
}

// serve serves the app as its owner's session sees it.
func serve(r *run) *pipes {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	session := ownerSession(r)
	p.server = &http.Server{
		ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			var in bridge.Request
			bridge.FromHTTP(&in, w, req)
			if err := r.app.Serve(req.Context(), &in, session, bridge.NewHTTPSink(w, req)); err != nil {
				r.failed.Store(&err)
				panic(http.ErrAbortHandler) // the client sees no answer, as there was none
			}
		}),
	}
	p.client = &http.Transport{DialContext: p.dial}
	go func() { _ = p.server.Serve(p) }()
	return p
}

// ownerSession is a session of somebody with all permissions.
func ownerSession(r *run) *bridge.Session {
	s := &bridge.Session{
		UserID: strings.Repeat("0a", 16), Username: "Packager", Handle: "packager",
		TabID: strings.Repeat("1b", 16), ID: "0", BasePath: origin,
	}
	if config := r.t.pkg.Bridge; config != nil {
		for _, p := range config.Permissions {
			if !p.Obsolete {
				s.Permissions = append(s.Permissions, p.Name)
			}
		}
	}
	return s
}

func (p *pipes) close() {
	p.client.CloseIdleConnections()
	_ = p.server.Close()
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	err := errors.New("closed before")
	p.once.Do(func() {
		close(p.closed)
		err = nil
	})
	return err
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "trial", Net: "pipe"} }
