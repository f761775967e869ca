package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
)

func TestMain(m *testing.M) { os.Exit(graintest.Main(m)) }

// client is a real git with a working copy of its own.
type client struct {
	t   *testing.T
	dir string
}

func newClient(t *testing.T) client { return client{t, t.TempDir()} }

// try runs git and returns what it said.
func (c client) try(args ...string) (string, error) {
	cmd := exec.CommandContext(c.t.Context(), "git", args...)
	cmd.Dir = c.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LANG=C.UTF-8",
		"GIT_AUTHOR_NAME=Bo", "GIT_AUTHOR_EMAIL=bo@example.org", "GIT_COMMITTER_NAME=Bo", "GIT_COMMITTER_EMAIL=bo@example.org",
	}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (c client) git(args ...string) string {
	c.t.Helper()
	out, err := c.try(args...)
	if err != nil {
		c.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (c client) write(name string, content []byte) {
	c.t.Helper()
	file := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// noise is content that does not compress, so that a push of it is long.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint64(88172645463325252)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

// A program pushes with the API, small and in chunks, another one clones; the
// grain is killed in between.
func TestPushAndClone(t *testing.T) {
	g := graintest.Start(t, "git")
	api := g.API("read", "write").URL
	c := newClient(t)
	c.git("init", "--quiet", "--initial-branch=trunk")
	c.write("README", []byte("Pumps & valves\n"))
	c.git("add", ".")
	c.git("commit", "--quiet", "-m", "Grüße")
	c.git("push", "--quiet", api+"/pumps.git", "trunk")

	big := noise(3 << 20) // beyond http.postBuffer: sent in chunks
	c.write("data/big.bin", big)
	c.git("add", ".")
	c.git("commit", "--quiet", "-m", "Measurements")
	for i := range 120 { // a long negotiation: git sends it gzipped
		c.git("tag", "t"+strings.Repeat("x", i+1))
	}
	c.git("push", "--quiet", "--tags", api+"/pumps.git", "trunk")
	g.Restart()

	api = g.API("read").URL
	clone := newClient(t)
	clone.git("clone", "--quiet", api+"/anything.git")
	clone.dir = filepath.Join(clone.dir, "anything")
	if got := clone.git("log", "--format=%s", "--decorate=no"); got != "Measurements\nGrüße" {
		t.Errorf("cloned %q", got)
	}
	if got, err := os.ReadFile(filepath.Join(clone.dir, "data/big.bin")); err != nil || !bytes.Equal(got, big) {
		t.Errorf("%d bytes of %d came back, %v", len(got), len(big), err)
	}
	if got := clone.git("branch", "--show-current"); got != "trunk" {
		t.Errorf("the clone has %q", got)
	}
	clone.git("fsck", "--strict")

	// Both sides have something new: git tells what it has, gzipped.
	for range 40 {
		clone.git("commit", "--quiet", "--allow-empty", "-m", "mine")
	}
	writer := g.API("read", "write").URL
	c.git("commit", "--quiet", "--allow-empty", "-m", "theirs")
	c.git("push", "--quiet", writer+"/pumps.git", "trunk")
	clone.git("fetch", "--quiet")
	if got := clone.git("log", "-1", "--format=%s", "origin/trunk"); got != "theirs" {
		t.Errorf("fetched %q", got)
	}
	if out, err := clone.try("push", writer+"/pumps.git", "trunk"); err == nil || !strings.Contains(out, "non-fast-forward") && !strings.Contains(out, "fetch first") {
		t.Errorf("a push that would lose a commit: %v\n%s", err, out)
	}
	shallow := newClient(t)
	shallow.git("clone", "--quiet", "--depth=1", "--filter=blob:none", "--no-checkout", api+"/s.git", ".")
	if got := shallow.git("rev-list", "--count", "HEAD"); got != "1" {
		t.Errorf("a shallow clone has %s commits", got)
	}
}

// Who may only read, reads; who may nothing, gets nothing.
func TestRights(t *testing.T) {
	g := graintest.Start(t, "git")
	c := newClient(t)
	c.git("init", "--quiet")
	c.git("commit", "--quiet", "--allow-empty", "-m", "one")
	c.git("push", "--quiet", g.API("read", "write").URL+"/r.git", "HEAD:refs/heads/main")
	reader, nobody := g.API("read").URL, g.API("write").URL
	c.git("ls-remote", reader+"/r.git")
	if out, err := c.try("push", reader+"/r.git", "HEAD:refs/heads/evil"); err == nil || !strings.Contains(out, "403") {
		t.Errorf("a reader pushed: %v\n%s", err, out)
	}
	if out, err := c.try("ls-remote", nobody+"/r.git"); err == nil {
		t.Errorf("without the right to read: %s", out)
	}
	for _, tt := range []struct {
		who          *httptest.Server
		method, path string
		code         int
		shows        string
	}{
		{g.API("read"), "POST", "/r.git/git-receive-pack", 403, "may not"},
		{g.API("read"), "GET", "/r.git/info/refs?service=git-receive-pack", 403, "not push"},
		{g.API("read"), "GET", "/r.git/info/refs?service=git-receive-pack&service=git-upload-pack", 403, "smart"},
		{g.API("read"), "GET", "/r.git/info/refs", 403, "smart"},
		{g.API("read"), "GET", "/r.git/config", 404, ""},
		{g.API("read"), "GET", "/r.git/objects/info/packs", 404, ""},
		{g.API("read"), "GET", "/r/info/refs?service=git-upload-pack", 404, ""},
		{g.API("read"), "GET", "/..%2frepo.git/info/refs?service=git-upload-pack", 404, ""},
		{g.As("R", "read"), "POST", "/begin", 403, ""},
		{g.As("R", "read"), "POST", "/branch", 403, ""},
		{g.As("N"), "GET", "/", 403, ""},
		{g.As("N"), "GET", "/code/log/", 403, ""},
	} {
		if code, body := graintest.Do(t, tt.who, tt.method, tt.path, ""); code != tt.code || !strings.Contains(body, tt.shows) {
			t.Errorf("%s %s: %d %.200q, want %d and %q", tt.method, tt.path, code, body, tt.code, tt.shows)
		}
	}
	if got := c.git("ls-remote", reader+"/r.git"); strings.Contains(got, "evil") || !strings.Contains(got, "refs/heads/main") {
		t.Errorf("afterwards: %s", got)
	}
}

// What cgit shows, and what it must not: scripts that somebody pushed.
func TestBrowse(t *testing.T) {
	g := graintest.Start(t, "git")
	c := newClient(t)
	c.git("init", "--quiet")
	c.write("README.md", []byte("<script>alert(1)</script>\n"))
	c.write("src/evil.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`))
	c.write("src/evil.html", []byte(`<script>alert(1)</script>`))
	c.write("src/a.txt", []byte("first\n"))
	c.git("add", ".")
	c.git("commit", "--quiet", "-m", "Add <b>pumps</b>")
	c.write("src/a.txt", []byte("second\n"))
	c.git("commit", "--quiet", "-am", "Change")
	c.git("push", "--quiet", g.API("read", "write").URL+"/r.git", "HEAD:refs/heads/main")
	id := c.git("rev-parse", "HEAD")
	s := g.As("R", "read")
	for _, tt := range []struct {
		path, shows string
		mime        string
	}{
		{"/", "&lt;script&gt;alert(1)", "text/html; charset=utf-8"},
		{"/code/log/", "Add &lt;b&gt;pumps&lt;/b&gt;", "text/html; charset=UTF-8"},
		{"/code/tree/", ">src</a>", "text/html; charset=UTF-8"},
		{"/code/tree/src/a.txt", "second", "text/html; charset=UTF-8"},
		{"/code/tree/README.md", "&lt;script&gt;", "text/html; charset=UTF-8"},
		{"/code/commit/?id=" + id, "<div class='add'>+second</div>", "text/html; charset=UTF-8"},
		{"/code/blame/src/a.txt", "second", "text/html; charset=UTF-8"},
		{"/code/refs/", ">main</a>", "text/html; charset=UTF-8"},
		{"/code/stats/", "Bo", "text/html; charset=UTF-8"},
		{"/code/plain/src/evil.svg", "<svg", "text/plain; charset=UTF-8"},
		{"/code/plain/src/evil.html", "<script>", "text/plain; charset=UTF-8"},
		{"/code/plain/README.md", "<script>", "text/plain; charset=UTF-8"},
		{"/code/snapshot/code-main.zip", "PK", "application/x-zip; charset=UTF-8"},
		{"/static/cgit.css", "prefers-color-scheme", "text/css; charset=utf-8"},
	} {
		code, body, header := graintest.DoHeader(t, s, "GET", tt.path, "")
		if code != 200 || !strings.Contains(body, tt.shows) || header.Get("Content-Type") != tt.mime {
			t.Errorf("%s: %d, %s, %.300q, want %q as %s", tt.path, code, header.Get("Content-Type"), body, tt.shows, tt.mime)
		}
		if strings.HasPrefix(tt.mime, "text/html") && strings.Contains(body, "<script>alert") {
			t.Errorf("%s runs what was pushed", tt.path)
		}
		if strings.Contains(tt.path, "/plain/") && header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may be sniffed", tt.path)
		}
	}
	for _, p := range []string{"/code/clone/", "/code/HEAD", "/code/objects/info/packs", "/code/plain/../../config", "/other/log/", "/code/?url=../../etc"} {
		if code, body := graintest.Do(t, s, "GET", p, ""); code == 200 && (strings.Contains(body, "[core]") || strings.Contains(body, "ref: refs")) {
			t.Errorf("%s: %d %.200q", p, code, body)
		}
	}
}
