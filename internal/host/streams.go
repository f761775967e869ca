package host

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"sync"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// eventQueue is how many events may wait for the reader of Watch. One that
// lags further behind loses its watch and has to look at Grains anew.
const eventQueue = 1024

// DialGrain implements Client.
func (c *client) DialGrain(ctx context.Context, id sandstorm.GrainID, instance string) (net.Conn, error) {
	files, err := c.doFiles(ctx, wire.OpDial, wire.DialParams{Grain: id, Instance: instance}, nil)
	if err != nil {
		return nil, err
	}
	return oneConn(files)
}

// GrainLog implements Client.
func (c *client) GrainLog(ctx context.Context, id sandstorm.GrainID, backlog int64, follow bool) (io.ReadCloser, error) {
	params := wire.LogParams{Grain: id, Backlog: backlog, Follow: follow}
	files, err := c.doFiles(ctx, wire.OpLog, params, nil)
	if err != nil {
		return nil, err
	}
	conn, err := oneConn(files)
	if err != nil {
		return nil, err
	}
	// The host sees the closed socket and stops writing.
	return &logReader{conn, context.AfterFunc(ctx, func() { conn.Close() })}, nil
}

// logReader is the stream of a log until its context ends.
type logReader struct {
	net.Conn
	stop func() bool
}

func (r *logReader) Close() error {
	r.stop()
	return r.Conn.Close()
}

// oneConn makes the only file of an answer a connection.
func oneConn(files []*os.File) (net.Conn, error) {
	defer wire.CloseAll(files)
	if len(files) != 1 {
		return nil, down(errors.New("answer came without its connection"))
	}
	conn, err := net.FileConn(files[0])
	if err != nil {
		return nil, down(err)
	}
	return conn, nil
}

// Watch implements Client.
func (c *client) Watch(ctx context.Context) (<-chan Event, error) {
	w := &watch{events: make(chan Event, eventQueue), began: make(chan struct{}), lagged: make(chan struct{})}
	call, err := c.start(ctx, wire.OpWatch, wire.Empty{}, w.news)
	if err != nil {
		return nil, err
	}
	// The first news says that the watch is set up: from then on no event is
	// missed.
	select {
	case <-w.began:
	case a := <-call.answer:
		_, err := a.decode(nil)
		if err == nil {
			err = down(errors.New("watch ended at once"))
		}
		return nil, err
	case <-ctx.Done():
		call.cancel()
		return nil, canceled(ctx, "watch")
	}
	go func() {
		select {
		case a := <-call.answer:
			wire.CloseAll(a.files)
		case <-ctx.Done():
			call.cancel()
		case <-w.lagged:
			call.cancel()
		}
		w.close()
	}()
	return w.events, nil
}

// watch passes events on. Its channel is closed under the lock, because the
// receiving goroutine may still be about to send.
type watch struct {
	mu     sync.Mutex
	events chan Event
	began  chan struct{}
	lagged chan struct{}
	isOn   bool
	isOver bool
}

func (w *watch) news(m *wire.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isOver {
		return
	}
	if !w.isOn {
		w.isOn = true
		close(w.began)
	}
	var e Event
	if m.Event == nil || json.Unmarshal(m.Event, &e) != nil {
		return
	}
	select {
	case w.events <- e:
	default:
		w.isOver = true
		close(w.lagged)
	}
}

func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isOver = true
	close(w.events)
}
