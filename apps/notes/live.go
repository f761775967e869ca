package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/coder/websocket"

	"github.com/sandstorm-go/sandstorm/apps/internal/visitor"
)

const (
	maxRequest  = 8 << 20 // bytes; JSON may take up to six per UTF-16 unit
	sendQueue   = 256
	sendTimeout = 20 * time.Second
)

// live is the WebSocket: /live?key=…&rev=…. The key is random and secret to a
// tab, which keeps it across reconnections.
type live struct {
	pad *pad
	log *slog.Logger
}

func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.URL.Query().Get("key")
	rev, err := strconv.Atoi(r.URL.Query().Get("rev"))
	if len(key) < 16 || len(key) > 64 || err != nil {
		http.Error(w, "The address lacks key or rev.", http.StatusBadRequest)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxRequest)

	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	v := visitor.From(r)
	sum := sha256.Sum256([]byte(key))
	m := &member{
		key: key, public: hex.EncodeToString(sum[:6]), name: v.Name, edit: v.Can("edit"),
		send: make(chan message, sendQueue), gone: cancel,
	}
	if err := l.pad.join(ctx, m, rev); err != nil {
		conn.Close(websocket.StatusTryAgainLater, "stopping")
		return
	}
	defer l.pad.leave(m)
	go l.write(ctx, conn, m)
	// It ends with an error, always; that the browser closed is none to speak of.
	if err := l.read(ctx, conn, m); ctx.Err() == nil && websocket.CloseStatus(err) == -1 {
		l.log.Info("connection ended", "err", err)
	}
}

// write sends what the pad has queued; when it cannot, the connection ends.
func (l *live) write(ctx context.Context, conn *websocket.Conn, m *member) {
	defer m.gone()
	for {
		select {
		case <-ctx.Done():
			return
		case msg := <-m.send:
			b, err := json.Marshal(msg)
			if err != nil {
				l.log.Error("cannot encode a message", "err", err)
				return
			}
			wctx, cancel := context.WithTimeout(ctx, sendTimeout)
			err = conn.Write(wctx, websocket.MessageText, b)
			cancel()
			if err != nil {
				return
			}
		}
	}
}

func (l *live) read(ctx context.Context, conn *websocket.Conn, m *member) error {
	for {
		_, b, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		var req request
		if err := json.Unmarshal(b, &req); err != nil {
			conn.Close(websocket.StatusPolicyViolation, "not understood")
			return err
		}
		if err := l.handle(ctx, m, req); err != nil {
			if !errors.Is(err, errTooLong) && !errors.Is(err, errReadOnly) {
				conn.Close(websocket.StatusPolicyViolation, err.Error())
				return err
			}
			m.deliver(message{Type: "refused", Seq: req.Seq, Reason: err.Error()})
		}
	}
}

func (l *live) handle(ctx context.Context, m *member, req request) error {
	switch req.Type {
	case "op":
		return l.pad.change(ctx, m, req.Revision, req.Seq, req.Op)
	case "cursor":
		if !req.At.valid() {
			return errShape
		}
		return l.pad.point(ctx, m, req.Revision, req.At)
	}
	return errShape
}
