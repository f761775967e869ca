package host

import (
	"context"
	"errors"
	"os"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// client is the Client of the host process on this machine.
type client struct {
	path string
	// again, if set, starts a host process when none is there any more.
	again func(context.Context) (*session, error)

	turn   chan struct{} // holds a token while cur is looked at or made
	cur    *session
	closed bool
}

var _ Client = (*client)(nil)

func newClient(path string) *client {
	return &client{path: path, turn: make(chan struct{}, 1)}
}

// Dial connects to the host process that listens on the Unix socket at path.
// It is Unavailable if there is none. When the host process restarts, calls in
// flight fail as Unavailable and the next call connects again.
func Dial(ctx context.Context, path string) (Client, error) {
	c := newClient(path)
	if _, err := c.session(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends the connection and all calls in flight.
func (c *client) Close() error {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	c.closed = true
	if c.cur != nil {
		c.cur.fail(errors.New("client was closed"))
		c.cur = nil
	}
	return nil
}

// session returns the live connection, making one if needed.
func (c *client) session(ctx context.Context) (*session, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, canceled(ctx, "connect to the host process")
	}
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
	if err != nil && noListener(err) && c.again != nil {
		s, err = c.again(ctx)
	}
	if err != nil {
		return nil, asKnown(err)
	}
	c.cur = s
	return s, nil
}

// asKnown makes a failure to connect Unavailable, unless it has a kind.
func asKnown(err error) error {
	var known *sandstorm.Error
	if errors.As(err, &known) {
		return err
	}
	return down(err)
}

// canceled is the error of a call whose ctx ended first.
func canceled(ctx context.Context, what string) error {
	return sandstorm.Errorf(sandstorm.Unavailable, "host.canceled", "%s: %w", what, context.Cause(ctx))
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
