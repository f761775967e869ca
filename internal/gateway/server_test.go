package gateway_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/internal/gateway"
)

// testServer is a gateway.Server on loopback.
type testServer struct {
	t    *testing.T
	srv  *gateway.Server
	addr string
	done chan error
}

func newTestServer(t *testing.T, f *fixture) *testServer {
	return serveOn(t, gateway.NewServer(f.gw), gateway.Listener{})
}

func serveOn(t *testing.T, srv *gateway.Server, l gateway.Listener) *testServer {
	t.Helper()
	nl, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Listener = nl
	s := &testServer{t: t, srv: srv, addr: nl.Addr().String(), done: make(chan error, 1)}
	go func() { s.done <- srv.Serve(l) }()
	t.Cleanup(func() { srv.Shutdown(context.Background()) })
	return s
}

func (s *testServer) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// writeCert writes a self-made certificate for the names.
func writeCert(t *testing.T, dir, name string, serial int64, names ...string) gateway.KeyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pair := gateway.KeyPair{Cert: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key")}
	for file, block := range map[string]*pem.Block{
		pair.Cert: {Type: "CERTIFICATE", Bytes: der}, pair.Key: {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pair
}

func TestServerTLS(t *testing.T) {
	f := newFixture(t, hello, testOptions{tls: true})
	dir := t.TempDir()
	certs, err := gateway.LoadCertificates([]gateway.KeyPair{
		writeCert(t, dir, "a", 1, baseHost), writeCert(t, dir, "b", 2, "*."+baseHost),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	srv := gateway.NewServer(f.gw)
	s := serveOn(t, srv, gateway.Listener{TLS: certs})
	plain := serveOn(t, srv, gateway.Listener{Alternate: true})
	for name, serial := range map[string]int64{baseHost: 1, f.host: 2, "": 1, "other.test": 1} {
		c, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true, ServerName: name, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		st := c.ConnectionState()
		if got := st.PeerCertificates[0].SerialNumber.Int64(); got != serial || st.NegotiatedProtocol != "h2" || st.Version != tls.VersionTLS13 {
			t.Errorf("%s: certificate %d, %q, %x", name, got, st.NegotiatedProtocol, st.Version)
		}
		c.Close()
	}
	if _, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 works")
	}
	// A connection made for the base host serves only what its certificate names.
	tr := &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: baseHost},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", s.addr)
		},
	}
	defer tr.CloseIdleConnections()
	for host, status := range map[string]int{baseHost: 200, f.host: 421} {
		r := f.request("GET", "/", "")
		r.Host = host
		resp, err := (&http.Client{Transport: tr}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status || resp.ProtoMajor != 2 {
			t.Errorf("%s: %s %s", host, resp.Proto, resp.Status)
		}
	}
	c := plain.dial()
	fmt.Fprintf(c, "GET /x?y HTTP/1.1\r\nHost: %s\r\n\r\n", f.host)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 308 || resp.Header.Get("Location") != "https://"+f.host+"/x?y" {
		t.Errorf("%v %v", resp, err)
	}
	resp.Body.Close()
}

func TestBadCertificates(t *testing.T) {
	dir := t.TempDir()
	pair := writeCert(t, dir, "a", 1, "x")
	other := writeCert(t, dir, "b", 1, "x")
	for _, pairs := range [][]gateway.KeyPair{nil, {{Cert: pair.Cert, Key: other.Key}}, {{Cert: pair.Cert, Key: dir}}, {pair, {}}} {
		if _, err := gateway.LoadCertificates(pairs, nil); err == nil {
			t.Errorf("%v: no error", pairs)
		}
	}
}

func TestShutdown(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-finish
		io.WriteString(w, "done")
	}), testOptions{})
	s := newTestServer(t, f)
	c := s.dial()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nCookie: sandstorm-sid=%s\r\n\r\n", f.host, f.id.Reveal())
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- s.srv.Shutdown(context.Background()) }()
	if err := <-s.done; err != nil {
		t.Error(err)
	}
	close(finish)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || text(t, resp) != "done" {
		t.Error("a request under way was cut:", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestShutdownCutsStreams(t *testing.T) {
	begun, gone := make(chan struct{}), make(chan struct{})
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		close(begun)
		<-r.Context().Done()
		close(gone)
	}), testOptions{})
	s := newTestServer(t, f)
	c := s.dial()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nCookie: sandstorm-sid=%s\r\n\r\n", f.host, f.id.Reveal())
	<-begun
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.srv.Shutdown(ctx)
	<-gone
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err == nil {
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Error("a stream that was cut looks whole")
		}
	}
}

// TestRenewedCertificate: a changed file is read again, a broken one is not
// used.
func TestRenewedCertificate(t *testing.T) {
	dir := t.TempDir()
	files := writeCert(t, dir, "c", 1, "x")
	c, err := gateway.LoadCertificates([]gateway.KeyPair{files}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c.SetClock(func() time.Time { return now })
	want := func(serial int64, why string) {
		t.Helper()
		if got := c.Serial("x"); got != serial {
			t.Errorf("%s: certificate %d", why, got)
		}
	}
	// Another length of the file makes it change within one tick of its time.
	writeCert(t, dir, "c", 1<<40, "x", "longer.name")
	want(1, "read again at once")
	now = now.Add(gateway.Recheck + time.Second)
	want(1<<40, "not renewed")
	if err := os.WriteFile(files.Cert, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(gateway.Recheck + time.Second)
	want(1<<40, "broken file")
	writeCert(t, dir, "c", 3, "x")
	now = now.Add(gateway.Recheck + time.Second)
	want(3, "not repaired")
}
