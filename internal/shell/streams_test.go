package shell_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

// stream opens one of the streams as a browser would.
func stream(t *testing.T, s *site, server *httptest.Server, path string) (*http.Response, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range s.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	r.Header.Set("Accept", "text/event-stream")
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = resp.Body.Close() })
	return resp, cancel
}

// Events reach an open page by name; a name cannot break the protocol.
func TestEvents(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	server := httptest.NewServer(s.shell)
	t.Cleanup(server.Close) // after the streams, which it waits for
	resp, _ := stream(t, s, server, "/events")
	if ct := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || ct != "text/event-stream" {
		t.Fatalf("%d %s", resp.StatusCode, ct)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Scan() // retry: the stream is subscribed by then
	s.world.Publish("grain:evil\r\ndata: apps")
	s.world.Publish("grains")
	var got []string
	for lines.Scan() {
		got = append(got, lines.Text())
		if strings.HasPrefix(lines.Text(), "data:") {
			break
		}
	}
	if all := strings.Join(got, "|"); strings.Contains(all, "evil") || strings.Contains(all, "apps") {
		t.Errorf("stream: %s", all)
	}

	s.cookies = nil
	resp, _ = stream(t, s, server, "/events")
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("signed out: %d", resp.StatusCode)
	}
}

// One account cannot hold more than its share of streams; closed ones count no
// more.
func TestStreamLimit(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	server := httptest.NewServer(s.shell)
	t.Cleanup(server.Close) // after the streams, which it waits for
	var closers []context.CancelFunc
	for range 64 {
		resp, cancel := stream(t, s, server, "/events")
		if resp.StatusCode != 200 {
			t.Fatalf("%d", resp.StatusCode)
		}
		closers = append(closers, cancel)
	}
	log := "/grainlog/" + string(s.world.GrainByTitle("Garden plan 2027").ID) + "/stream"
	if resp, _ := stream(t, s, server, log); resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one too many: %d", resp.StatusCode)
	}
	for _, c := range closers {
		c()
	}
	for { // until the server has noticed
		resp, cancel := stream(t, s, server, log)
		if resp.StatusCode == 200 {
			break
		}
		cancel()
	}
}

// The log of a grain streams as text that no browser takes for anything else.
func TestLogStream(t *testing.T) {
	s := newSite(t, shelltest.New(), "Alice")
	g := s.world.GrainByTitle("Garden plan 2027")
	s.world.Logs[g.ID] = "<script>\n"
	server := httptest.NewServer(s.shell)
	t.Cleanup(server.Close) // after the streams, which it waits for
	resp, _ := stream(t, s, server, "/grainlog/"+string(g.ID)+"/stream")
	if ct := resp.Header.Get("Content-Type"); ct != "text/plain; charset=utf-8" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("type %s", ct)
	}
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	if err != nil || line != "<script>\n" {
		t.Errorf("%q, %v", line, err)
	}
}
