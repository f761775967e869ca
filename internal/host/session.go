package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// helloTimeout bounds how long a host may take to answer a new connection.
const helloTimeout = 10 * time.Second

// session is one connection to the host process. It ends at its first error;
// the client then makes another.
type session struct {
	conn *wire.Conn
	done chan struct{} // closed when the connection is lost

	mu    sync.Mutex
	next  uint64
	calls map[uint64]*call
	err   error // why it ended
}

// call is one request in flight.
type call struct {
	session *session
	id      uint64
	answer  chan answer // receives once
	// news, if set, gets progress and events, from the receiving goroutine:
	// it must not block.
	news func(*wire.Message)
}

// answer ends a call.
type answer struct {
	msg   *wire.Message
	files []*os.File
	err   error
}

// connect opens a session and agrees on the protocol's version.
func connect(ctx context.Context, path string) (*session, error) {
	var d net.Dialer
	sock, err := d.DialContext(ctx, wire.Network, path)
	if err != nil {
		return nil, err
	}
	s := &session{
		conn:  wire.NewConn(sock.(*net.UnixConn)),
		done:  make(chan struct{}),
		calls: map[uint64]*call{},
	}
	go s.receive()
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	hello := wire.Hello{Min: wire.MinVersion, Max: wire.MaxVersion}
	if _, err := s.do(ctx, wire.OpHello, hello, nil); err != nil {
		s.fail(err)
		return nil, err
	}
	return s, nil
}

// errNotSent marks a request that cannot have reached the host, so that it may
// be made again on another connection.
var errNotSent = errors.New("request was not sent")

// start sends a request. files stay the caller's.
func (s *session) start(op string, params any, news func(*wire.Message), files ...*os.File) (*call, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	c := &call{session: s, answer: make(chan answer, 1), news: news}
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("%w: %w", errNotSent, s.err)
	}
	s.next++
	c.id = s.next
	s.calls[c.id] = c
	s.mu.Unlock()
	if err := s.conn.Send(&wire.Message{ID: c.id, Op: op, Params: raw}, files...); err != nil {
		s.forget(c.id)
		if errors.Is(err, wire.ErrTooLarge) {
			return nil, sandstorm.Errorf(sandstorm.TooLarge, "host.message", "%s: %w", op, err)
		}
		s.fail(err)
		return nil, fmt.Errorf("%w: %w", errNotSent, err)
	}
	return c, nil
}

// do makes a call and decodes its result into result, if that is not nil.
func (s *session) do(ctx context.Context, op string, params, result any) ([]*os.File, error) {
	c, err := s.start(op, params, nil)
	if err != nil {
		return nil, err
	}
	return c.wait(ctx, result)
}

// wait returns what the call returned. When ctx ends first it cancels the call.
func (c *call) wait(ctx context.Context, result any) ([]*os.File, error) {
	select {
	case a := <-c.answer:
		return a.decode(result)
	case <-ctx.Done():
		c.cancel()
		return nil, canceled(ctx, "call to the host process")
	}
}

func (a answer) decode(result any) ([]*os.File, error) {
	if a.err != nil {
		return nil, a.err
	}
	if a.msg.Error != nil {
		wire.CloseAll(a.files)
		return nil, decodeError(a.msg.Error)
	}
	files, err := wire.ReadResult(a.msg, a.files, result)
	if err != nil {
		return nil, down(err)
	}
	return files, nil
}

// cancel gives the call up; what it still returns is thrown away.
func (c *call) cancel() {
	if !c.session.forget(c.id) {
		// The answer is there or about to be: its files must not leak.
		a := <-c.answer
		wire.CloseAll(a.files)
		return
	}
	// If this fails the session fails, and with it everything in flight.
	if err := c.session.conn.Send(&wire.Message{ID: c.id, Op: wire.OpCancel}); err != nil {
		c.session.fail(err)
	}
}

// forget removes a call that nobody waits for any more; false if it was
// answered already.
func (s *session) forget(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.calls[id]
	delete(s.calls, id)
	return ok
}

// receive hands out what the host sends until the connection ends.
func (s *session) receive() {
	for {
		m, files, err := s.conn.Receive()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("connection lost")
			}
			s.fail(err)
			return
		}
		s.mu.Lock()
		c := s.calls[m.ID]
		if c != nil && m.Last() {
			delete(s.calls, m.ID)
		}
		s.mu.Unlock()
		switch {
		case c == nil:
			wire.CloseAll(files)
		case m.Last():
			c.answer <- answer{msg: m, files: files}
		default:
			wire.CloseAll(files)
			if c.news != nil {
				c.news(m)
			}
		}
	}
}

// fail ends the session and everything in flight.
func (s *session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = err
	s.conn.Close()
	for id, c := range s.calls {
		delete(s.calls, id)
		c.answer <- answer{err: down(err)}
	}
	close(s.done)
}
