package host

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// client is the Client of the host process on this machine.
type client struct {
	path string

	mu     sync.Mutex // held while connecting, so that one connection is made
	cur    *session
	closed bool
}

var _ Client = (*client)(nil)

// Dial connects to the host process that listens on the Unix socket at path.
// It is Unavailable if there is none. When the host process restarts, calls in
// flight fail as Unavailable and the next call connects again.
func Dial(ctx context.Context, path string) (Client, error) {
	c := &client{path: path}
	if _, err := c.session(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends the connection and all calls in flight.
func (c *client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.cur != nil {
		c.cur.fail(errors.New("client was closed"))
		c.cur = nil
	}
	return nil
}

// session returns the live connection, making one if needed.
func (c *client) session(ctx context.Context) (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, down(errors.New("client was closed"))
	}
	if c.cur != nil {
		select {
		case <-c.cur.done:
			c.cur = nil
		default:
			return c.cur, nil
		}
	}
	s, err := connect(ctx, c.path)
	if err != nil {
		var known *sandstorm.Error
		if errors.As(err, &known) {
			return nil, err
		}
		return nil, down(err)
	}
	c.cur = s
	return s, nil
}

// start sends a request, on a new connection if the old one turns out dead.
func (c *client) start(ctx context.Context, op string, params any, news func(*wire.Message), files ...*os.File) (*call, error) {
	for attempt := 0; ; attempt++ {
		s, err := c.session(ctx)
		if err != nil {
			return nil, err
		}
		call, err := s.start(op, params, news, files...)
		if err == nil {
			return call, nil
		}
		if !errors.Is(err, errNotSent) {
			return nil, err
		}
		if attempt > 0 {
			return nil, down(err)
		}
	}
}

// do makes a call whose result comes without files.
func (c *client) do(ctx context.Context, op string, params, result any) error {
	files, err := c.doFiles(ctx, op, params, result)
	wire.CloseAll(files)
	return err
}

// doFiles makes a call; the files of its result are the caller's.
func (c *client) doFiles(ctx context.Context, op string, params, result any) ([]*os.File, error) {
	call, err := c.start(ctx, op, params, nil)
	if err != nil {
		return nil, err
	}
	return call.wait(ctx, result)
}
