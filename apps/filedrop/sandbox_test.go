package main

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
)

func TestMain(m *testing.M) { os.Exit(graintest.Main(m)) }

// The app in its real sandbox, behind the real bridge: uploads of a browser,
// WebDAV of a program through the API, and a kill in between.
func TestInTheSandbox(t *testing.T) {
	g := graintest.Start(t, "filedrop")
	page, api := g.As("Ann", "view", "edit"), g.API("view", "edit")
	check := func(code int, body string, wantCode int, part string) {
		t.Helper()
		if code != wantCode || !strings.Contains(body, part) {
			t.Errorf("%d %.200q, want %d and %q", code, body, wantCode, part)
		}
	}
	large := strings.Repeat("0123456789abcde\n", 1<<20) // 16 MiB, as large as /tmp
	code, body := graintest.Do(t, page, "PUT", "/files/in/large.txt", large)
	check(code, body, http.StatusCreated, "in/large.txt")
	code, body = graintest.Do(t, api, "PROPFIND", "/in/", "", "Depth: 1", "Content-Type: application/xml")
	check(code, body, http.StatusMultiStatus, "<D:href>/in/large.txt</D:href>")
	code, body = graintest.Do(t, api, "PUT", "/in/dav.txt", "by a program")
	check(code, body, http.StatusCreated, "")
	code, body = graintest.Do(t, api, "MOVE", "/in/dav.txt", "", "Destination: "+api.URL+"/moved.txt")
	check(code, body, http.StatusCreated, "")
	code, body = graintest.Do(t, page, "MOVE", "/dav/moved.txt", "", "Destination: "+page.URL+"/dav/in/dav.txt")
	check(code, body, http.StatusCreated, "")
	g.Restart()
	reader := g.As("Bob", "view")
	code, body = graintest.Do(t, reader, "GET", "/files/in/large.txt", "")
	if code != http.StatusOK || body != large {
		t.Errorf("%d with %d bytes", code, len(body))
	}
	code, body = graintest.Do(t, reader, "GET", "/files/in/dav.txt?save=1", "")
	check(code, body, http.StatusOK, "by a program")
	code, body = graintest.Do(t, reader, "PUT", "/files/x", "x")
	check(code, body, http.StatusForbidden, "")
	code, body = graintest.Do(t, g.API("view"), "DELETE", "/in/", "")
	check(code, body, http.StatusForbidden, "")
	code, body, header := graintest.DoHeader(t, reader, "GET", "/zip/in", "")
	check(code, body[:2], http.StatusOK, "PK")
	if !strings.Contains(header.Get("Content-Disposition"), "in.zip") {
		t.Error(header)
	}
}
