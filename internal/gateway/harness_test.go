package gateway_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
	"github.com/sandstorm-go/sandstorm/internal/gateway"
)

// fixture is a gateway in front of an app, with one session.
type fixture struct {
	t       *testing.T
	gw      *gateway.Gateway
	srv     *httptest.Server
	app     *bridge.App
	session *bridge.Session
	id      sandstorm.SessionID
	host    string // Host of the session
	client  *http.Client

	mu    sync.Mutex
	open  func() (gateway.OpenSession, error) // what the source answers
	opens int
}

func (f *fixture) Open(_ context.Context, host sandstorm.HostID) (gateway.OpenSession, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opens++
	if host != f.id.HostID() {
		return gateway.OpenSession{}, sandstorm.Errorf(sandstorm.NotFound, "session.ended", "no such session")
	}
	return f.open()
}

type testOptions struct {
	tls     bool
	change  func(*gateway.Options)
	session func(*bridge.Session)
}

const baseHost = "sandstorm.test"

// newFixture serves app (on loopback) behind a gateway (on loopback).
func newFixture(t *testing.T, app http.Handler, o testOptions) *fixture {
	t.Helper()
	backend := httptest.NewServer(app)
	t.Cleanup(backend.Close)
	return newFixtureAt(t, backend.Listener.Addr().String(), o)
}

func newFixtureAt(t *testing.T, appAddr string, o testOptions) *fixture {
	t.Helper()
	f := &fixture{t: t, id: sandstorm.NewSessionID()}
	scheme := "http"
	if o.tls {
		scheme = "https"
	}
	opts := gateway.Options{
		BaseURL: scheme + "://" + baseHost, WildcardHost: "*." + baseHost,
		Shell: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte("shell " + r.Header.Get("X-Real-Ip")))
		}),
		Sessions: f,
		Log:      slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if o.change != nil {
		o.change(&opts)
	}
	gw, err := gateway.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	f.gw = gw
	f.app = bridge.NewApp(bridge.AppOptions{Dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", appAddr)
	}})
	t.Cleanup(f.app.Close)
	origin := gw.Hosts().SessionOrigin(f.id.HostID())
	f.session = &bridge.Session{
		UserID: strings.Repeat("ab", 16), Username: "Ann Öl", TabID: string(f.id.TabID()),
		Permissions: []string{"read", "write"}, Handle: "ann", ID: "0", BasePath: origin,
	}
	if o.session != nil {
		o.session(f.session)
	}
	f.open = func() (gateway.OpenSession, error) {
		return gateway.OpenSession{Bridge: f.session, App: f.app}, nil
	}
	_, f.host, _ = strings.Cut(origin, "://")
	f.srv = httptest.NewUnstartedServer(gw)
	f.srv.EnableHTTP2 = true
	if o.tls {
		f.srv.StartTLS()
	} else {
		f.srv.Start()
	}
	t.Cleanup(f.srv.Close)
	addr := f.srv.Listener.Addr().String()
	tr := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", addr)
		},
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true},
		DisableCompression: true,
		ForceAttemptHTTP2:  o.tls,
	}
	t.Cleanup(tr.CloseIdleConnections)
	f.client = &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return f
}

// request makes a request to the session's host that carries its cookie.
func (f *fixture) request(method, path, body string) *http.Request {
	f.t.Helper()
	var r *http.Request
	var err error
	url := f.gw.Hosts().SessionOrigin(f.id.HostID()) + path
	if body == "" {
		r, err = http.NewRequest(method, url, nil)
	} else {
		r, err = http.NewRequest(method, url, strings.NewReader(body))
	}
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Cookie", "sandstorm-sid="+f.id.Reveal())
	return r
}

func (f *fixture) do(r *http.Request) *http.Response {
	f.t.Helper()
	resp, err := f.client.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { resp.Body.Close() })
	return resp
}
