package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func startProbe(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(newHandler(t.TempDir()))
	server.Listener = recordingListener{server.Listener}
	server.Config.ConnContext = rememberConn
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, server *httptest.Server, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// Two requests over one connection, with headers in an order and spelling that
// Go would not keep.
func TestEchoTellsTheWire(t *testing.T) {
	server := startProbe(t)
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for _, name := range []string{"x-LAST", "x-other"} {
		if _, err := io.WriteString(c, "POST /echo?q=%41 HTTP/1.1\r\nHost: h\r\n"+name+": 2\r\nX-First:1\r\nContent-Length: 2\r\n\r\nhi"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		var e echoed
		if err := json.NewDecoder(resp.Body).Decode(&e); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		if len(e.Headers) != 4 || e.Headers[1] != [2]string{name, "2"} || e.Headers[2] != [2]string{"X-First", "1"} ||
			e.Path != "/echo?q=%41" || e.Body != "hi" || e.BodySize != 2 || e.Length != 2 || e.Method != "POST" {
			t.Errorf("%+v", e)
		}
	}
}

func TestAnswers(t *testing.T) {
	server := startProbe(t)
	for _, tt := range []struct {
		method, path, body string
		code               int
		part               string
	}{
		{"GET", "/status/418?body=tea", "", 418, "tea"},
		{"GET", "/size?n=100000", "", 200, "abcde\n"},
		{"GET", "/stream?n=3", "", 200, "piece 2\n"},
		{"GET", "/redirect?to=/x&code=307", "", 307, ""},
		{"GET", "/etag", "", 200, "entity"},
		{"GET", "/raw?head=HTTP/1.1+299+Odd%0D%0AConnection:+close%0D%0AContent-Length:+2%0D%0A%0D%0Aok", "", 299, "ok"},
		{"POST", "/early?read=1", "body", 200, "read 4"},
		{"POST", "/write?file=a/b", "content", 200, "7"},
		{"GET", "/read?file=a/b", "", 200, "content"},
		{"POST", "/write?file=zero&bytes=5", "", 200, "5"},
		{"GET", "/read?file=zero", "", 200, "\x00\x00\x00\x00\x00"},
		{"GET", "/read?file=none", "", 404, ""},
		{"PUT", "/dav/x", "dav", 201, ""},
		{"GET", "/dav/x", "", 200, "dav"},
		{"GET", "/env", "", 200, `"umask"`},
		{"GET", "/syscall?nr=39", "", 200, `"errno": 0`},
		{"GET", "/syscall?nr=9999", "", 200, `"name": "ENOSYS"`},
		{"GET", "/syscall?nr=257&a=-100&a=@/nowhere", "", 200, `"name": "ENOENT"`},
		{"GET", "/stat?file=/", "", 200, `"error": ""`},
		{"POST", "/exec", "#!/bin/sh\necho ran", 200, "ran"},
		{"GET", "/log?bytes=10", "", 200, "logged"},
		{"GET", "/page?script=1", "", 200, "<script>1</script>"},
	} {
		code, body := get(t, server, tt.method, tt.path, tt.body)
		if code != tt.code || !strings.Contains(body, tt.part) {
			t.Errorf("%s %s: %d %q, want %d and %q", tt.method, tt.path, code, body[:min(len(body), 300)], tt.code, tt.part)
		}
	}
}

func TestListenAndDial(t *testing.T) {
	server := startProbe(t)
	_, body := get(t, server, "GET", "/listen?address=127.0.0.1:0", "")
	var opened struct{ Address string }
	if err := json.Unmarshal([]byte(body), &opened); err != nil || opened.Address == "" {
		t.Fatalf("%s %v", body, err)
	}
	if _, body = get(t, server, "GET", "/dial?send=ping&address="+opened.Address, ""); !strings.Contains(body, `"received": "ping"`) {
		t.Error(body)
	}
}
