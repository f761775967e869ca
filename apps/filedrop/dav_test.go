package main

import (
	"strings"
	"testing"
)

const lockBody = `<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>me</D:owner></D:lockinfo>`

// The exchange of a program that mounts the folder, through the API (no base
// path) and inside a session.
func TestWebDAV(t *testing.T) {
	const base = "X-Sandstorm-Base-Path: https://ui-x.example"
	for _, session := range []struct {
		name, base  string
		prefix      string // that the client sees
		slashes     string // that the bridge puts between apiPath and path
		destination string // what the bridge puts before a Destination
	}{
		{"api", "", "", "/", "http://sandbox/dav/"},
		{"api with two slashes", "", "", "//", "http://sandbox/dav//"},
		{"api of old bridges", "", "", "/", "/"},
		{"session", base, "/dav", "/", "https://ui-x.example/dav/"},
	} {
		t.Run(session.name, func(t *testing.T) {
			h, _ := newTestApp(t)
			var header []string
			if session.base != "" {
				header = append(header, session.base)
			}
			ask := func(method, path, body string, code int, part string, more ...string) {
				t.Helper()
				w := do(h, method, "/dav"+session.slashes+path, body, append(header[:len(header):len(header)], more...)...)
				want(t, w, code, part)
			}
			destination := func(p string) string { return "Destination: " + session.destination + p }

			ask("OPTIONS", "", "", 200, "")
			ask("MKCOL", "docs", "", 201, "")
			ask("MKCOL", "docs", "", 405, "")
			ask("MKCOL", "no/parent", "", 409, "")
			ask("PUT", "docs/a%20b.txt", "one", 201, "")
			ask("PUT", "docs/a%20b.txt", "two", 204, "")
			ask("PUT", "nowhere/x.txt", "x", 409, "")
			ask("PUT", "docs", "x", 405, "")
			ask("GET", "docs/a%20b.txt", "", 206, "wo", "Range: bytes=1-")
			ask("PROPFIND", "docs/", "", 207, "<D:href>"+session.prefix+"/docs/a%20b.txt</D:href>", "Depth: 1")
			ask("PROPFIND", "docs/", "", 207, "<D:getcontentlength>3</D:getcontentlength>", "Depth: 1")
			ask("PROPFIND", "gone", "", 404, "", "Depth: 0")
			ask("COPY", "docs/a%20b.txt", "", 201, "", destination("docs/copy.txt"))
			ask("COPY", "docs/a%20b.txt", "", 412, "", destination("docs/copy.txt"), "Overwrite: F")
			ask("MOVE", "docs/copy.txt", "", 201, "", destination("moved.txt"))
			ask("GET", "moved.txt", "", 200, "two")
			ask("LOCK", "moved.txt", lockBody, 200, "<D:locktoken>", "Timeout: Second-3600")
			ask("LOCK", "moved.txt", lockBody, 423, "", "Timeout: Second-3600")
			// The bridge cannot pass the If header on: the holder must be able to write.
			ask("PUT", "moved.txt", "three", 204, "")
			ask("PROPPATCH", "moved.txt", `<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="u:">1</x></D:prop></D:set></D:propertyupdate>`, 207, "403")
			ask("DELETE", "moved.txt", "", 204, "")
			ask("DELETE", "moved.txt", "", 404, "")
		})
	}
}

func TestWebDAVStaysInside(t *testing.T) {
	h, _ := newTestApp(t)
	do(h, "PUT", "/dav/x", "x")
	for _, path := range []string{"/dav/%2e%2e/", "/dav//%2e%2e/incoming", "/dav/%2e%2e/incoming/x"} {
		if w := do(h, "PROPFIND", path, "", "Depth: 1"); w.Code == 207 {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	for _, destination := range []string{"http://sandbox/dav/../incoming/x", "/../incoming/x", "/%2e%2e/incoming/x", "http://[", "%zz"} {
		if w := do(h, "COPY", "/dav/x", "", "Destination: "+destination); w.Code < 400 {
			t.Errorf("to %s: %d", destination, w.Code)
		}
	}
}

func TestOwnCloudModificationTime(t *testing.T) {
	h, _ := newTestApp(t)
	w := do(h, "PUT", "/dav/x.txt", "x", "X-OC-MTime: 1500000000")
	if w.Code != 201 || w.Header().Get("X-OC-MTime") != "accepted" || w.Header().Get("ETag") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := do(h, "PROPFIND", "/dav/x.txt", "", "Depth: 0"); !strings.Contains(w.Body.String(), "Fri, 14 Jul 2017 02:40:00 GMT") {
		t.Error(w.Body)
	}
}
