package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newTestApp returns the app and the folder that it keeps things in.
func newTestApp(t testing.TB) (http.Handler, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "filedrop")
	tr, err := openTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.root.Close() })
	h, err := newHandler(tr, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return h, dir
}

// do sends a request as somebody who may edit; header lines are "Name: value".
func do(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Sandstorm-Permissions", "view,edit")
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func want(t testing.TB, w *httptest.ResponseRecorder, code int, part string) {
	t.Helper()
	if w.Code != code || !strings.Contains(w.Body.String(), part) {
		t.Errorf("%d %q, want %d and %q", w.Code, w.Body.String(), code, part)
	}
}

func TestFilesComeAndGo(t *testing.T) {
	h, dir := newTestApp(t)
	want(t, do(h, "PUT", "/files/a%20b/c.txt", "hello"), 201, `"a b/c.txt"`)
	want(t, do(h, "GET", "/files/a%20b/c.txt", ""), 200, "hello")
	want(t, do(h, "GET", "/files/a%20b/c.txt", "", "Range: bytes=1-3"), 206, "ell")
	want(t, do(h, "GET", "/files/a%20b/c.txt", "", "Range: bytes=9-"), 416, "")
	want(t, do(h, "PUT", "/files/a%20b/c.txt", "again"), 409, "exists")
	want(t, do(h, "PUT", "/files/a%20b/c.txt?conflict=rename", "again"), 201, `"a b/c (2).txt"`)
	want(t, do(h, "PUT", "/files/a%20b/c.txt?conflict=replace", "third", "X-OC-MTime: 1500000000"), 201, `"a b/c.txt"`)
	want(t, do(h, "GET", "/api/list?path=a+b", ""), 200, `{"name":"c.txt","size":5,"modified":1500000000000}`)
	want(t, do(h, "POST", "/api/folder", `{"path":"other"}`), 204, "")
	want(t, do(h, "POST", "/api/folder", `{"path":"other"}`), 409, "exists")
	want(t, do(h, "POST", "/api/move", `{"path":"a b/c.txt","to":"other/d.txt"}`), 204, "")
	want(t, do(h, "POST", "/api/move", `{"path":"a b/c (2).txt","to":"other/d.txt"}`), 409, "exists")
	want(t, do(h, "POST", "/api/move", `{"path":"other","to":"other/in/itself"}`), 400, "name")
	want(t, do(h, "GET", "/api/folders", ""), 200, `["","a b","other"]`)
	want(t, do(h, "GET", "/files/other/d.txt", ""), 200, "third")
	want(t, do(h, "POST", "/api/delete", `{"path":"other"}`), 204, "")
	want(t, do(h, "POST", "/api/delete", `{"path":"other"}`), 404, "gone")
	want(t, do(h, "GET", "/files/other/d.txt", ""), 404, "gone")
	want(t, do(h, "PUT", "/files/a%20b", "x"), 409, "exists")
	want(t, do(h, "PUT", "/files/a%20b?conflict=replace", "x"), 409, "exists")
	if left, _ := os.ReadDir(filepath.Join(dir, incomingDir)); len(left) != 0 {
		t.Errorf("incoming: %v", left)
	}
}

func TestBadPaths(t *testing.T) {
	h, dir := newTestApp(t)
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..", filepath.Join(dir, filesDir, "up")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(dir, filesDir, "etc")); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{
		"%2e%2e/secret", "x/%2e%2e/%2e%2e/secret", "..%2fsecret", "a%00b", "a%0ab", "x//y", "./x", "up/../../secret",
		"etc/passwd", strings.Repeat("x", 256), strings.Repeat("x/", 2000), "%ff",
	} {
		for _, method := range []string{"GET", "PUT"} {
			if w := do(h, method, "/files/"+p, "x"); w.Code < 300 || strings.Contains(w.Body.String(), "s3cret") {
				t.Errorf("%s %.60s: %d %s", method, p, w.Code, w.Body)
			}
		}
	}
	for _, body := range []string{``, `{`, `{"path":""}`, `{"path":"../secret"}`, `{"path":"/"}`, `{"path":"etc/passwd"}`, `{"path":"` + strings.Repeat("x", 70000) + `"}`} {
		if w := do(h, "POST", "/api/delete", body); w.Code < 400 {
			t.Errorf("delete %.40s: %d", body, w.Code)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "secret")); err != nil {
		t.Error("the file outside is gone")
	}
}

func TestPermissions(t *testing.T) {
	h, _ := newTestApp(t)
	want(t, do(h, "PUT", "/files/a.txt", "x"), 201, "")
	for _, tt := range []struct {
		method, path, permissions string
		code                      int
	}{
		{"GET", "/", "", 403},
		{"GET", "/files/a.txt", "", 403},
		{"PROPFIND", "/dav/", "", 403},
		{"GET", "/", "view", 200},
		{"GET", "/files/a.txt", "view", 200},
		{"PROPFIND", "/dav/", "view", 207},
		{"PUT", "/files/b.txt", "view", 403},
		{"POST", "/api/delete", "view", 403},
		{"POST", "/api/folder", "view", 403},
		{"POST", "/api/move", "view", 403},
		{"PUT", "/dav/b.txt", "view", 403},
		{"DELETE", "/dav/a.txt", "view", 403},
		{"MKCOL", "/dav/c", "view", 403},
		{"MOVE", "/dav/a.txt", "view", 403},
		{"LOCK", "/dav/a.txt", "view", 403},
		{"PROPPATCH", "/dav/a.txt", "view", 403},
	} {
		if w := do(h, tt.method, tt.path, "", "X-Sandstorm-Permissions: "+tt.permissions); w.Code != tt.code {
			t.Errorf("%s %s with %q: %d, want %d", tt.method, tt.path, tt.permissions, w.Code, tt.code)
		}
	}
}

// A page that one person uploads must not run in the others' sessions.
func TestUploadsCannotScript(t *testing.T) {
	h, _ := newTestApp(t)
	for _, name := range []string{"x.html", "x.HTM", "x.svg", "x.xml", "x.xhtml", "x.js", "x", "x.pdf.html", "x.mhtml"} {
		want(t, do(h, "PUT", "/files/"+name, "<script>alert(1)</script>"), 201, "")
		for _, path := range []string{"/files/", "/dav/"} {
			w := do(h, "GET", path+name, "")
			kind := w.Header().Get("Content-Type")
			if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") ||
				kind != "application/octet-stream" && kind != "image/svg+xml" {
				t.Errorf("%s%s: %d %v", path, name, w.Code, w.Header())
			}
		}
	}
	do(h, "PUT", "/files/x.txt", "<script>")
	if w := do(h, "GET", "/files/x.txt", ""); w.Header().Get("Content-Type") != plain {
		t.Errorf("text: %v", w.Header())
	}
	do(h, "PUT", `/files/a%22%5c%C3%A9.bin`, "")
	if d := do(h, "GET", `/files/a%22%5c%C3%A9.bin`, "").Header().Get("Content-Disposition"); d != `attachment; filename="a___.bin"; filename*=UTF-8''a%22%5C%C3%A9.bin` {
		t.Errorf("disposition %s", d)
	}
}

type brokenReader struct{ n int }

func (b *brokenReader) Read(p []byte) (int, error) {
	if b.n--; b.n < 0 {
		return 0, errors.New("connection lost")
	}
	return len(p), nil
}

func TestBrokenUploadLeavesNothing(t *testing.T) {
	h, dir := newTestApp(t)
	for _, path := range []string{"/files/big.bin", "/dav/big.bin"} {
		r := httptest.NewRequest(http.MethodPut, path, &brokenReader{n: 5})
		r.Header.Set("X-Sandstorm-Permissions", "view,edit")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code < 400 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, sub := range []string{filesDir, incomingDir} {
		if left, _ := os.ReadDir(filepath.Join(dir, sub)); len(left) != 0 {
			t.Errorf("%s: %v", sub, left)
		}
	}
	// What a killed app left in the middle of an upload goes at the next start.
	if err := os.WriteFile(filepath.Join(dir, incomingDir, "half"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := openTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.root.Close()
	if _, err := os.Stat(filepath.Join(dir, incomingDir, "half")); err == nil {
		t.Error("half an upload stayed")
	}
}

func TestZip(t *testing.T) {
	h, _ := newTestApp(t)
	do(h, "PUT", "/files/f/a.txt", "alpha")
	do(h, "PUT", "/files/f/g/b.png", "beta")
	do(h, "POST", "/api/folder", `{"path":"f/empty"}`)
	w := do(h, "GET", "/zip/f", "")
	if d := w.Header().Get("Content-Disposition"); !strings.Contains(d, `"f.zip"`) {
		t.Error(d)
	}
	z, err := zip.NewReader(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names string
	for _, f := range z.File {
		names += f.Name + ";"
	}
	if names != "a.txt;empty/;g/;g/b.png;" {
		t.Error(names)
	}
	want(t, do(h, "GET", "/zip/f/a.txt", ""), 404, "")
}

func TestEvents(t *testing.T) {
	h, _ := newTestApp(t)
	server := httptest.NewServer(h)
	defer server.Close()
	r, _ := http.NewRequest(http.MethodGet, server.URL+"/events", nil)
	r.Header.Set("X-Sandstorm-Permissions", "view")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got := make(chan string, 10)
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := resp.Body.Read(b)
			if err != nil {
				return
			}
			got <- string(b[:n])
		}
	}()
	next := func(want string) {
		t.Helper()
		select {
		case s := <-got:
			if !strings.Contains(s, want) {
				t.Errorf("%q, want %q", s, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no event; want %q", want)
		}
	}
	next(": here")
	do(h, "PUT", "/files/x/y.txt", "1")
	next(`data: "x"`)
	do(h, "DELETE", "/dav/x", "")
	next(`data: ""`)
}

func TestNumbered(t *testing.T) {
	long := strings.Repeat("ü", 127)
	for in, want := range map[string]string{
		"a/b.txt": "a/b (2).txt", "b": "b (2)", ".profile": ".profile (2)", "x.tar.gz": "x.tar (2).gz",
		long: strings.Repeat("ü", 125) + " (2)",
	} {
		if got := numbered(in, 2); got != want || len(got) > 260 {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "/", "a/b", "../x", "a//b", "a\x00b", "/a/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := clean(s)
		if err != nil {
			return
		}
		if again, err := clean(p); err != nil || again != p {
			t.Fatalf("%q gives %q gives %q, %v", s, p, again, err)
		}
		if p != "" && !filepath.IsLocal(p) {
			t.Fatalf("%q leads out", p)
		}
	})
}
