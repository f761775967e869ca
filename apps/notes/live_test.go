package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/coder/websocket"
)

// startApp runs the app on a loopback port. Requests get the headers that the
// bridge would set, unless the test sets its own.
func startApp(t testing.TB, file string) *httptest.Server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	s, text, err := openStore(file, log)
	if err != nil {
		t.Fatal(err)
	}
	p := openPad(s, text)
	h, err := newHandler(p, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	finished := make(chan error, 1)
	go func() { finished <- p.run(ctx) }()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("as"); err == nil { // how the browser test says who it is
			name, permissions, _ := strings.Cut(c.Value, ":")
			r.Header.Set("X-Sandstorm-Username", name)
			r.Header.Set("X-Sandstorm-Permissions", strings.ReplaceAll(permissions, "+", ","))
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		cancel()
		if err := <-finished; err != nil {
			t.Error(err)
		}
		s.file.Close()
	})
	return server
}

// tab is a browser tab written in Go: it does what note.js does.
type tab struct {
	t         testing.TB
	key       string
	conn      *websocket.Conn
	you       string
	rev, seq  int
	text      []uint16
	sent      *change
	waiting   []Op // one after the other, on top of sent
	permitted string
}

func (b *tab) connect(server *httptest.Server) {
	b.t.Helper()
	header := http.Header{"X-Sandstorm-Permissions": {b.permitted}, "X-Sandstorm-Username": {"Tab%20" + b.key[:1]}}
	url := fmt.Sprintf("%s/live?key=%s&rev=%d", strings.Replace(server.URL, "http", "ws", 1), b.key, b.rev)
	conn, _, err := websocket.Dial(context.Background(), url, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		b.t.Fatal(err)
	}
	conn.SetReadLimit(maxRequest)
	b.conn = conn
}

func openTab(t testing.TB, server *httptest.Server, name string) *tab {
	t.Helper()
	b := &tab{t: t, key: strings.Repeat(name, 16), rev: -1, permitted: "view,edit"}
	b.connect(server)
	t.Cleanup(func() { b.conn.CloseNow() })
	for b.rev < 0 {
		b.step()
	}
	return b
}

// step receives one message.
func (b *tab) step() message {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, data, err := b.conn.Read(ctx)
	if err != nil {
		b.t.Fatalf("tab %s: %v", b.key[:1], err)
	}
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		b.t.Fatal(err)
	}
	switch m.Type {
	case "hello":
		b.you, b.rev, b.text = m.You, m.Revision, units(*m.Text)
	case "resume":
		for _, c := range m.Changes {
			b.remote(c)
		}
		if b.sent != nil {
			b.send()
		}
	case "op":
		b.remote(m)
	}
	return m
}

func (b *tab) remote(m message) {
	b.t.Helper()
	if m.Revision != b.rev+1 {
		b.t.Fatalf("tab %s at %d got revision %d", b.key[:1], b.rev, m.Revision)
	}
	b.rev = m.Revision
	if b.sent != nil && m.By == b.you && m.Seq == b.sent.Seq {
		b.sent = nil
		b.flush()
		return
	}
	op := m.Op
	var err error
	if b.sent != nil {
		if op, b.sent.Op, err = transform(op, b.sent.Op); err != nil {
			b.t.Fatal(err)
		}
	}
	for i := range b.waiting {
		if op, b.waiting[i], err = transform(op, b.waiting[i]); err != nil {
			b.t.Fatal(err)
		}
	}
	if b.text, err = op.apply(b.text); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) edit(op Op) {
	b.t.Helper()
	var err error
	if b.text, err = op.apply(b.text); err != nil {
		b.t.Fatal(err)
	}
	b.waiting = append(b.waiting, op)
	b.flush()
}

func (b *tab) flush() {
	if b.sent == nil && len(b.waiting) > 0 {
		b.seq++
		b.sent = &change{Seq: b.seq, Op: b.waiting[0]}
		b.waiting = b.waiting[1:]
		b.send()
	}
}

func (b *tab) send() {
	data, err := json.Marshal(request{Type: "op", Revision: b.rev, Seq: b.sent.Seq, Op: b.sent.Op})
	if err == nil {
		err = b.conn.Write(context.Background(), websocket.MessageText, data)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) settle(rev int) {
	for b.sent != nil || b.rev < rev {
		b.step()
	}
}

// Several people type at random places at once; in the end all see the same,
// and so does the disk.
func TestManyPeopleTyping(t *testing.T) {
	file := filepath.Join(t.TempDir(), "note.log")
	server := startApp(t, file)
	const people, edits = 5, 60
	tabs := make([]*tab, people)
	for i := range tabs {
		tabs[i] = openTab(t, server, string(rune('a'+i)))
	}
	var all sync.WaitGroup
	for i, b := range tabs {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			for range edits {
				if r.IntN(2) == 0 || len(b.text) < 4 {
					at := r.IntN(len(b.text) + 1)
					if splitsPair(b.text, at) {
						at++
					}
					b.edit(insertion(at, b.key[:1]+"😀", len(b.text)))
				} else {
					b.edit(randomOp(r, b.text))
				}
				if r.IntN(10) == 0 && b.sent != nil { // loses the connection with a change on its way
					b.conn.CloseNow()
					b.connect(server)
				}
				for b.sent != nil && len(b.waiting) > 2 {
					b.step()
				}
			}
			b.settle(0)
		})
	}
	all.Wait()
	last := 0
	for _, b := range tabs {
		last = max(last, b.rev)
	}
	for _, b := range tabs {
		b.settle(last)
		if string(utf16.Decode(b.text)) != string(utf16.Decode(tabs[0].text)) {
			t.Errorf("tab %s sees %q, tab a %q", b.key[:1], string(utf16.Decode(b.text)), string(utf16.Decode(tabs[0].text)))
		}
	}
	if last != people*edits {
		t.Errorf("revision %d after %d changes: some were lost or taken twice", last, people*edits)
	}
	_, saved := openTestStore(t, file)
	if saved != string(utf16.Decode(tabs[0].text)) {
		t.Error("the disk has another text")
	}
}

func TestPermissions(t *testing.T) {
	server := startApp(t, filepath.Join(t.TempDir(), "note.log"))
	writer := openTab(t, server, "w")
	writer.edit(insertion(0, "secret", 0))
	writer.settle(1)

	reader := &tab{t: t, key: strings.Repeat("r", 16), rev: -1, permitted: "view"}
	reader.connect(server)
	defer reader.conn.CloseNow()
	hello := reader.step()
	if hello.CanEdit || *hello.Text != "secret" {
		t.Errorf("a reader was told %+v", hello)
	}
	reader.edit(insertion(0, "X", 6))
	for reader.step().Type != "refused" {
	}
	for path, want := range map[string]int{"/": 403, "/note.md": 403, "/live?key=0123456789abcdef&rev=-1": 403, "/static/app.js": 403} {
		r, err := http.Get(server.URL + path) // no header: no permission
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != want {
			t.Errorf("GET %s without permission: %d", path, r.StatusCode)
		}
	}
	req, _ := http.NewRequest(http.MethodGet, server.URL+"/note.md", nil)
	req.Header.Set("X-Sandstorm-Permissions", "view")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if b, _ := io.ReadAll(r.Body); string(b) != "secret" {
		t.Errorf("note.md: %q", b)
	}
}

func TestBadMessages(t *testing.T) {
	server := startApp(t, filepath.Join(t.TempDir(), "note.log"))
	for _, bad := range []string{
		`{`, `{"t":"what"}`, `{"t":"op","rev":5,"seq":1,"op":["x"]}`, `{"t":"op","rev":-1,"seq":1,"op":["x"]}`,
		`{"t":"op","rev":0,"seq":1,"op":[3]}`, `{"t":"op","rev":0,"seq":1,"op":["\ud800"]}`, `{"t":"cursor","rev":0,"at":[-1,0]}`,
	} {
		b := openTab(t, server, "x")
		if err := b.conn.Write(context.Background(), websocket.MessageText, []byte(bad)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		var err error
		for err == nil {
			_, _, err = b.conn.Read(ctx)
		}
		cancel()
		if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("%s: %v", bad, err)
		}
	}
	b := openTab(t, server, "y")
	b.edit(insertion(0, "fine", 0))
	b.settle(1)
}

func TestFullNote(t *testing.T) {
	server := startApp(t, filepath.Join(t.TempDir(), "note.log"))
	b := openTab(t, server, "x")
	b.edit(insertion(0, strings.Repeat("x", maxText), 0))
	b.settle(1)
	b.edit(insertion(0, "one more", maxText))
	for b.step().Type != "refused" {
	}
}

func TestPresence(t *testing.T) {
	server := startApp(t, filepath.Join(t.TempDir(), "note.log"))
	a := openTab(t, server, "a")
	b := openTab(t, server, "b")
	names := func(m message) (s string) {
		for _, p := range m.People {
			s += p.Name + ";"
		}
		return s
	}
	for m := a.step(); names(m) != "Tab a;Tab b;"; m = a.step() {
	}
	if err := a.conn.Write(context.Background(), websocket.MessageText, []byte(`{"t":"cursor","rev":0,"at":[0,0]}`)); err != nil {
		t.Fatal(err)
	}
	for m := b.step(); m.Type != "cursor" || m.By != a.you; m = b.step() {
	}
	b.conn.CloseNow()
	for m := a.step(); names(m) != "Tab a;"; m = a.step() {
	}
}
