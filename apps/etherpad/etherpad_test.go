package etherpad_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
)

func TestMain(m *testing.M) { os.Exit(graintest.Main(m)) }

// Who may ask for what, and the pad as a file.
func TestDocuments(t *testing.T) {
	g := graintest.Start(t, "etherpad")
	writer, reader, nobody := g.As("Ann Öl", "view", "edit"), g.As("Bob", "view"), g.As("Nobody")
	want := func(code int, body string, wantCode int, part string) {
		t.Helper()
		if code != wantCode || !strings.Contains(body, part) {
			t.Errorf("%d %.300q, want %d and %q", code, body, wantCode, part)
		}
	}
	code, _, header := graintest.DoHeader(t, writer, "GET", "/", "")
	if code != 303 || header.Get("Location") != "/p/pad" {
		t.Errorf("the grain opens with %d %s", code, header.Get("Location"))
	}
	code, body := graintest.Do(t, writer, "GET", "/p/pad", "")
	want(code, body, 200, `data-key="bold"`)
	code, body = graintest.Do(t, reader, "GET", "/p/pad", "")
	want(code, body, 200, `data-key="showusers"`)
	if strings.Contains(body, `data-key="bold"`) {
		t.Error("a reader is offered what only writers can do")
	}
	for _, path := range []string{"/", "/p/pad", "/p/pad/export/txt", "/static/css/pad.css", "/socket.io/?EIO=3&transport=polling"} {
		code, body = graintest.Do(t, nobody, "GET", path, "")
		if code != 403 && code != 400 {
			t.Errorf("%s shows %d %.100q to somebody without permissions", path, code, body)
		}
	}
	// One pad, no administration, no interface for programs, no way to the disk.
	for _, path := range []string{"/p/other", "/p/other/export/txt", "/p/pad/export/pdf", "/admin/plugins", "/api/1.2.15/listAllPads", "/stats", "/static/../server.js", "/static/%2e%2e/%2e%2e/start.js", "/index.json"} {
		code, body = graintest.Do(t, writer, "GET", path, "")
		want(code, body, 404, "")
	}

	const form = "Content-Type: multipart/form-data; boundary=b"
	file := func(name, content string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name + "\"\r\nContent-Type: text/plain\r\n\r\n" + content + "\r\n--b--\r\n"
	}
	code, body = graintest.Do(t, reader, "POST", "/p/pad/import", file("a.txt", "not mine to write"), form)
	want(code, body, 403, "")
	code, body = graintest.Do(t, writer, "POST", "/p/pad/import", file("a.html", "<p>bread &amp; <b>milk</b></p><ul><li>Tee für zwei</li></ul>"), form)
	want(code, body, 200, `"code":0`)
	code, body = graintest.Do(t, reader, "GET", "/p/pad/export/html", "")
	want(code, body, 200, "<strong>milk</strong>")
	// An import that is too large for /tmp, or is no file, changes nothing.
	code, body = graintest.Do(t, writer, "POST", "/p/pad/import", file("big.txt", strings.Repeat("x", 5<<20)), form)
	want(code, body, 400, "maxFileSize")
	code, body = graintest.Do(t, writer, "POST", "/p/pad/import", "--b--\r\n", form)
	want(code, body, 400, "uploadFailed")
	// A file with all of a pad's history could say anything about anybody.
	code, body = graintest.Do(t, writer, "POST", "/p/pad/import", file("a.etherpad", `{"globalAuthor:a.x":{"name":"Bob","padIDs":"pad"},"sessionstorage:x":{}}`), form)
	want(code, body, 500, "internalError")

	g.Restart()
	code, body = graintest.Do(t, reader, "GET", "/p/pad/export/txt", "")
	want(code, body, 200, "bread & milk")
	want(code, body, 200, "Tee für zwei")
	code, _, header = graintest.DoHeader(t, reader, "GET", "/static/css/pad.css?v=1.8.14", "", "Accept-Encoding: gzip")
	if code != 200 || header.Get("ETag") == "" {
		t.Errorf("style sheet: %d %v", code, header)
	}
	if code, _ := graintest.Do(t, reader, "GET", "/static/css/pad.css", "", "If-None-Match: "+header.Get("ETag")); code != 304 {
		t.Errorf("unchanged style sheet: %d", code)
	}
}
