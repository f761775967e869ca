package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// maxCalls bounds the calls in flight of one connection, helloTimeout how long
// one may last without a word.
const (
	maxCalls     = 1024
	helloTimeout = 10 * time.Second
)

// session is one connection of a client.
type session struct {
	server *server
	conn   *wire.Conn
	wg     sync.WaitGroup

	mu     sync.Mutex
	calls  map[uint64]context.CancelFunc
	active int // calls whose answers were not sent yet
}

// request is one call. Its files are closed when it is answered, except those
// that the handler took out of the list.
type request struct {
	session *session
	id      uint64
	params  json.RawMessage
	files   []*os.File
}

// reply is what a handler returns; the files are closed once they are sent.
type reply struct {
	result any
	files  []*os.File
}

// decode reads the parameters.
func (r *request) decode(into any) error {
	if err := json.Unmarshal(r.params, into); err != nil {
		return sandstorm.Errorf(sandstorm.Invalid, "host.request", "parameters: %w", err)
	}
	return nil
}

// tell sends news of a call in flight.
func (r *request) tell(m *wire.Message) error {
	m.ID = r.id
	return r.session.conn.Send(m)
}

// serve answers the client until it leaves, breaks the protocol, or ctx ends.
func (s *session) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer s.wg.Wait()
	defer cancel()
	defer s.conn.Close()
	defer context.AfterFunc(ctx, func() { s.conn.Close() })()
	if err := s.hello(); err != nil {
		return err
	}
	for {
		m, files, err := s.conn.Receive()
		if err != nil {
			return err
		}
		if err := s.dispatch(ctx, m, files); err != nil {
			return err
		}
	}
}

// hello agrees on a version; it must be the first thing that a client says.
func (s *session) hello() error {
	if err := s.conn.Socket().SetReadDeadline(time.Now().Add(helloTimeout)); err != nil {
		return err
	}
	m, files, err := s.conn.Receive()
	if err != nil {
		return err
	}
	wire.CloseAll(files)
	if err := s.conn.Socket().SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	var h wire.Hello
	if m.Op != wire.OpHello || json.Unmarshal(m.Params, &h) != nil {
		return fmt.Errorf("%w: no hello", wire.ErrProtocol)
	}
	version := min(h.Max, wire.MaxVersion)
	if version < max(h.Min, wire.MinVersion) {
		err := sandstorm.Errorf(sandstorm.Unavailable, "host.version",
			"the host process speaks versions %d to %d, the caller %d to %d", wire.MinVersion, wire.MaxVersion, h.Min, h.Max)
		return errors.Join(err, s.conn.Send(&wire.Message{ID: m.ID, Error: host.EncodeError(err)}))
	}
	return s.conn.SendResult(m.ID, wire.Hello{Min: version, Max: version})
}

// dispatch begins a call or cancels one. It takes over files.
func (s *session) dispatch(ctx context.Context, m *wire.Message, files []*os.File) error {
	if m.Op == wire.OpCancel {
		wire.CloseAll(files)
		s.mu.Lock()
		cancel := s.calls[m.ID]
		s.mu.Unlock()
		if cancel != nil {
			cancel()
		}
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	_, twice := s.calls[m.ID]
	full := s.active >= maxCalls
	if !twice && !full {
		s.calls[m.ID] = cancel
		s.active++
	}
	s.mu.Unlock()
	if twice {
		cancel()
		wire.CloseAll(files)
		return fmt.Errorf("%w: call %d is in flight already", wire.ErrProtocol, m.ID)
	}
	if full {
		cancel()
		wire.CloseAll(files)
		err := sandstorm.Errorf(sandstorm.Exhausted, "host.calls", "%d calls are in flight", maxCalls)
		return s.conn.Send(&wire.Message{ID: m.ID, Error: host.EncodeError(err)})
	}
	s.wg.Go(func() {
		defer cancel()
		s.answer(ctx, m, files)
		s.mu.Lock()
		s.active--
		s.mu.Unlock()
	})
	return nil
}

// answer performs a call and sends how it ended.
func (s *session) answer(ctx context.Context, m *wire.Message, files []*os.File) {
	req := &request{session: s, id: m.ID, params: m.Params, files: files}
	out, err := s.handle(ctx, m.Op, req)
	wire.CloseAll(req.files)
	// The id is free before the answer goes out, or a quick client could use
	// it again too soon.
	s.mu.Lock()
	delete(s.calls, m.ID)
	s.mu.Unlock()
	if err == nil {
		err = s.conn.SendResult(m.ID, out.result, out.files...)
		wire.CloseAll(out.files)
		if err == nil || !errors.Is(err, wire.ErrTooLarge) {
			s.closeOn(err)
			return
		}
	}
	s.closeOn(s.conn.Send(&wire.Message{ID: m.ID, Error: host.EncodeError(err)}))
}

// handle runs the operation's handler. A defect in it costs this call only.
func (s *session) handle(ctx context.Context, op string, req *request) (out reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.server.log.Error("defect in the host process", "op", op, "panic", p, "stack", string(debug.Stack()))
			err = sandstorm.Errorf(sandstorm.Internal, "", "defect in operation %q", op)
		}
	}()
	h := s.server.handlers[op]
	if h == nil {
		return reply{}, sandstorm.Errorf(sandstorm.Invalid, "host.request", "unknown operation %.40q", op)
	}
	out, err = h(ctx, req)
	if err != nil {
		wire.CloseAll(out.files)
		out.files = nil
	}
	return out, err
}

// closeOn ends a connection that could not be written to.
func (s *session) closeOn(err error) {
	if err != nil {
		s.conn.Close()
	}
}

// isOver reports whether err is no more than the end of a connection.
func isOver(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) || errors.Is(err, errConnClosed)
}
