// Package e2e drives the real binaries as their users would: commands, HTTP,
// and a browser, as root and as an ordinary user.
package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/test/harness"
)

// echo is what the probe app saw of a request.
type echo struct {
	Run        string
	Method     string
	Path       string
	Headers    [][2]string
	BodySize   int64
	BodySHA256 string
}

func (e echo) header(name string) string {
	var values []string
	for _, h := range e.Headers {
		if strings.EqualFold(h[0], name) {
			values = append(values, h[1])
		}
	}
	return strings.Join(values, " | ")
}

func getEcho(t *testing.T, client *http.Client, req *http.Request) echo {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 {
		t.Fatalf("%s %s: %s\n%s", req.Method, req.URL, resp.Status, body)
	}
	var e echo
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return e
}

func newRequest(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// TestGrain is the main job: install a package, make a grain, use it.
func TestGrain(t *testing.T) {
	harness.Tiers(t, func(t *testing.T, s *harness.Server) {
		app := s.Install("probe")
		grain := s.Grain(app)
		origin, client := s.Session(grain)

		t.Run("headers", func(t *testing.T) { testHeaders(t, client, origin) })
		t.Run("bodies", func(t *testing.T) { testBodies(t, client, origin) })
		t.Run("view", func(t *testing.T) { testView(t, s, client, origin) })
		t.Run("sessions", func(t *testing.T) { testSessions(t, s, client, origin, grain) })
		t.Run("survives serve", func(t *testing.T) { testServeKilled(t, s, client, origin) })
		t.Run("crash", func(t *testing.T) { testCrash(t, s, client, origin, grain) })
		t.Run("continue", func(t *testing.T) { testContinue(t, s, client, origin, grain) })
		t.Run("delete", func(t *testing.T) { testDelete(t, s, client, origin, grain) })
	})
}

func testHeaders(t *testing.T, client *http.Client, origin string) {
	req := newRequest(t, "GET", origin+"/echo?a=%2F", nil)
	req.Header.Set("X-Sandstorm-User-Id", "forged")
	req.Header.Set("Authorization", "Basic Zm9vOmJhcg==")
	req.Header.Set("X-Sandstorm-App-Thing", "kept")
	req.AddCookie(&http.Cookie{Name: "mine", Value: "1"})
	e := getEcho(t, client, req)
	host := strings.TrimPrefix(origin, "http://")
	for name, want := range map[string]string{
		"Host":                         host,
		"X-Forwarded-Proto":            "http",
		"X-Sandstorm-Base-Path":        origin,
		"X-Sandstorm-Username":         "alice",
		"X-Sandstorm-Preferred-Handle": "alice",
		"X-Sandstorm-Session-Type":     "normal",
		"X-Sandstorm-App-Thing":        "kept",
		"Authorization":                "",
		"Cookie":                       "mine=1",
		"Accept":                       "*/*",
	} {
		if got := e.header(name); !strings.EqualFold(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if id := e.header("X-Sandstorm-User-Id"); len(id) != 32 {
		t.Errorf("user id %q", id)
	}
	if e.Path != "/echo?a=%2F" {
		t.Errorf("path %q: it must arrive as it was sent", e.Path)
	}
}

func testBodies(t *testing.T, client *http.Client, origin string) {
	for _, size := range []int{0, 1, 65535, 65536, 5 << 20} {
		body := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		sum := sha256.Sum256(body)
		e := getEcho(t, client, newRequest(t, "POST", origin+"/echo", bytes.NewReader(body)))
		if e.BodySize != int64(size) || e.BodySHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%d bytes arrived as %d", size, e.BodySize)
		}
	}
	resp, err := client.Get(origin + "/size?n=20000000")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n != 20000000 || err != nil {
		t.Errorf("download: %d bytes, %v", n, err)
	}
	resp, err = client.Get(origin + "/partial?n=1000&claim=5000")
	if err == nil {
		defer resp.Body.Close()
		if _, err = io.ReadAll(resp.Body); err == nil {
			t.Error("a truncated response ended cleanly")
		}
	}
}

// view is what the probe app sees of its box.
type view struct {
	PID, EUID, GID int
	Hostname       string
	Capabilities   struct{ Effective, Permitted uint64 }
	Environ        []string
	List           map[string]any
}

func testView(t *testing.T, s *harness.Server, client *http.Client, origin string) {
	status, body := s.Get(client, origin+"/env")
	if status != 200 {
		t.Fatalf("status %d: %s", status, body)
	}
	var v view
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	if v.EUID != 1000 || v.GID != 1000 || v.Hostname != "sandbox" || v.PID > 10 {
		t.Errorf("uid %d, gid %d, host %q, pid %d", v.EUID, v.GID, v.Hostname, v.PID)
	}
	if v.Capabilities.Effective|v.Capabilities.Permitted != 0 {
		t.Errorf("capabilities: %+v", v.Capabilities)
	}
	env := strings.Join(v.Environ, "\n")
	for _, want := range []string{"http_proxy=http://127.0.0.1:15239/", "no_proxy=localhost,127.0.0.1"} {
		if !strings.Contains(env, want) {
			t.Errorf("environment lacks %s:\n%s", want, env)
		}
	}
	for _, path := range []string{"/root", "/home", "/usr/bin", "/proc/self", "/sys"} {
		if _, body := s.Get(client, origin+"/stat?file="+url.QueryEscape(path)); !strings.Contains(body, "ENOENT") && !strings.Contains(body, "no such file") {
			t.Errorf("the app can see %s: %s", path, body)
		}
	}
}

func testSessions(t *testing.T, s *harness.Server, client *http.Client, origin, grain string) {
	stranger := s.Client()
	if status, _ := s.Get(stranger, origin+"/echo"); status != 403 {
		t.Errorf("without a cookie: %d", status)
	}
	other, otherClient := s.Session(grain)
	if other == origin {
		t.Fatal("two sessions share a host")
	}
	u, _ := url.Parse(other)
	cookies := otherClient.Jar.Cookies(u)
	for _, c := range cookies {
		if c.Name != "sandstorm-sid" {
			continue
		}
		req := newRequest(t, "GET", origin+"/echo", nil)
		req.Header.Set("Cookie", "sandstorm-sid="+c.Value)
		resp, err := stranger.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 403 {
			t.Errorf("another session's cookie: %d", resp.StatusCode)
		}
	}
	evil := strings.Replace(origin, "ui-", "ui-0", 1)
	if status, _ := s.Get(stranger, evil+"/"); status == 200 {
		t.Error("a made-up host is served")
	}
	req := newRequest(t, "POST", origin+"/echo", strings.NewReader("x"))
	req.Header.Set("Origin", s.BaseURL)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 403 {
		t.Errorf("a request of another origin: %d", resp.StatusCode)
	}
}

func testServeKilled(t *testing.T, s *harness.Server, client *http.Client, origin string) {
	before := getEcho(t, client, newRequest(t, "GET", origin+"/echo", nil))
	s.Kill()
	s.Run()
	client.CloseIdleConnections()
	after := getEcho(t, client, newRequest(t, "GET", origin+"/echo", nil))
	if after.Run != before.Run {
		t.Error("the grain was started again")
	}
}

// logWith waits until the grain's log holds text.
func logWith(t *testing.T, s *harness.Server, grain, text string) {
	t.Helper()
	var log string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var exit int
		if log, _, exit = s.Command("grain", "log", grain); exit == 0 && strings.Contains(log, text) {
			return
		}
	}
	t.Errorf("the log lacks %q:\n%s", text, log)
}

func testCrash(t *testing.T, s *harness.Server, client *http.Client, origin, grain string) {
	before := getEcho(t, client, newRequest(t, "GET", origin+"/echo", nil))
	// POST is not tried again when the app dies under it.
	if resp, err := client.Post(origin+"/crash?code=7", "text/plain", nil); err == nil {
		resp.Body.Close()
		if resp.StatusCode < 500 {
			t.Errorf("a crash in the middle of a request gave %d", resp.StatusCode)
		}
	}
	logWith(t, s, grain, "** SANDSTORM SUPERVISOR: App exited with status code: 7")
	after := getEcho(t, client, newRequest(t, "GET", origin+"/echo", nil))
	if after.Run == before.Run {
		t.Error("the app did not crash")
	}
	if resp, err := client.Post(origin+"/crash?signal=9", "text/plain", nil); err == nil {
		resp.Body.Close()
	}
	logWith(t, s, grain, "due to signal 9")
}

func testContinue(t *testing.T, s *harness.Server, client *http.Client, origin, grain string) {
	// A restart by hand also ends the pause after the crashes before.
	if _, errs, exit := s.Command("grain", "stop", grain); exit != 0 {
		t.Fatal(errs)
	}
	if status, body := s.Get(client, origin+"/write?file=kept&bytes=100"); status != 200 {
		t.Fatalf("write: %d, %s", status, body)
	}
	if _, errs, exit := s.Command("grain", "stop", grain); exit != 0 {
		t.Fatal(errs)
	}
	status, body := s.Get(client, origin+"/read?file=kept")
	if status != 200 || len(body) == 0 {
		t.Errorf("after a restart: %d, %q", status, body)
	}
}

func testDelete(t *testing.T, s *harness.Server, client *http.Client, origin, grain string) {
	if _, errs, exit := s.Command("grain", "delete", grain); exit != 0 {
		t.Fatal(errs)
	}
	if status, _ := s.Get(client, origin+"/echo"); status != 404 {
		t.Errorf("the deleted grain's host: %d", status)
	}
	if _, _, exit := s.Command("grain", "open", grain, "--user", "alice"); exit != 3 {
		t.Errorf("open: exit %d, want 3 (not found)", exit)
	}
	var grains []any
	if s.JSON(&grains, "grain", "list"); len(grains) != 0 {
		t.Errorf("still listed: %v", grains)
	}
}
