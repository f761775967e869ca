package appindex

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm/schema"
)

func testKey(n byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	return ed25519.NewKeyFromSeed(seed)
}

func public(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

func TestSubmit(t *testing.T) {
	ctx, key := context.Background(), testKey(1)
	x := newIndex(t, public(key))
	c := x.client(t)
	file := bytes.Repeat([]byte("spk"), 200_000)
	pkg := packageID(file)

	if s, err := c.Status(ctx, key, pkg); err != nil || s.Verdict != NotUploaded {
		t.Fatalf("before: %+v, %v", s, err)
	}
	var sent []int64
	c.Progress = func(n int64) { sent = append(sent, n) }
	src := bytes.NewReader(file)
	src.Seek(77, io.SeekStart) // as after it was verified
	s, err := c.Submit(ctx, key, pkg, Review, src)
	if err != nil || s.Verdict != Pending || s.Requested != Review || s.NextSequence == 0 {
		t.Fatalf("submitted: %+v, %v", s, err)
	}
	if len(sent) < 2 || sent[len(sent)-1] != int64(len(file)) {
		t.Errorf("progress %v of %d", sent, len(file))
	}
	sent = nil
	for _, state := range []State{Publish, Publish, Ignore} {
		s, err = c.SetState(ctx, key, pkg, state, s.NextSequence)
		if err != nil || s.Requested != state {
			t.Fatalf("state %d: %+v, %v", state, s, err)
		}
	}
	if len(sent) != 0 {
		t.Errorf("progress without an upload: %v", sent)
	}
	if s, err := c.Status(ctx, key, pkg); err != nil || s.Requested != Ignore {
		t.Errorf("after: %+v, %v", s, err)
	}
	if _, err := c.SetState(ctx, key, pkg, Publish, 5); err == nil || !strings.Contains(err.Error(), "sent before") {
		t.Errorf("replay: %v", err)
	}
}

// The Cap'n Proto tool reads our request as the spec says it should be.
func TestRequestOnTheWire(t *testing.T) {
	webkey, err := ParseWebkey("https://example.com#t")
	if err != nil {
		t.Fatal(err)
	}
	key, state := testKey(1), Review
	body, err := request(webkey, key, "000102030405060708090a0b0c0d0eff", &state, 1500000000)
	if err != nil {
		t.Fatal(err)
	}
	message, sig := body[:len(body)-64], body[len(body)-64:]
	if !ed25519.Verify(public(key), message, sig) {
		t.Error("the signature does not hold")
	}
	cmd := exec.Command("capnp", "decode", "--packed", "../../schema/sandstorm/app-index.capnp", "SubmissionRequest")
	cmd.Stdin = bytes.NewReader(message)
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("capnp (Debian package capnproto): %v", err)
	}
	// The hash is that of Python's hashlib.blake2b(b"https://example.com#t", digest_size=16).
	want := `( packageId = ( id0 = 506097522914230528, id1 = 18378641474721548552 ), ` +
		`setState = ( newState = review, sequenceNumber = 1500000000 ), ` +
		`appIndexWebkeyHash = "?\240\357\177N\236\352:\333\370\350\316-\202\367\223" )`
	if got := strings.Join(strings.Fields(string(got)), " "); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestRefusals(t *testing.T) {
	ctx, key := context.Background(), testKey(1)
	x := newIndex(t, public(key))
	c, file := x.client(t), []byte("spk")
	pkg := packageID(file)
	if _, err := c.Status(ctx, testKey(2), pkg); err == nil || !strings.Contains(err.Error(), "signature does not hold") {
		t.Errorf("another's key: %v", err)
	}
	if _, err := c.Status(ctx, key, "short"); err == nil {
		t.Error("a malformed package id")
	}
	x.refuse = "The package has no contact\x1b[2J address."
	_, err := c.Submit(ctx, key, pkg, Publish, bytes.NewReader(file))
	if err == nil || !strings.Contains(err.Error(), "no contact\ufffd[2J address.") {
		t.Errorf("refused upload: %q", fmt.Sprint(err))
	}
	x.refuse = ""
	// It takes the upload but does not know it afterwards: no endless loop.
	if _, err := c.Submit(ctx, key, pkg, Publish, strings.NewReader("other")); err == nil || !strings.Contains(err.Error(), "does not have it") {
		t.Errorf("forgotten upload: %v", err)
	}
	other := *c
	if other.Webkey, err = ParseWebkey(x.server.URL + "/base#wrong"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Status(ctx, key, pkg); err == nil || !strings.Contains(err.Error(), "403: no such token") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong token: %v", err)
	}
	if other.Webkey, err = ParseWebkey(x.server.URL + "/no/such/path#" + testToken); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Status(ctx, key, pkg); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("wrong path: %v", err)
	}
	x.server.Close()
	if _, err := c.Status(ctx, key, pkg); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("no server: %v", err)
	}
}

// serve is an index that always does the same.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	webkey, err := ParseWebkey(server.URL + "#" + testToken)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{Webkey: webkey}
}

func TestStrangeReplies(t *testing.T) {
	bomb := append([]byte{0}, bytes.Repeat([]byte{0, 255}, 100)...)
	for name, tt := range map[string]struct {
		reply []byte
		want  string
	}{
		"nothing":     {nil, "replied with nothing"},
		"only NUL":    {[]byte{0}, "malformed"},
		"garbage":     {[]byte("\x00\x01\x02\x03"), "malformed"},
		"huge":        {make([]byte, maxReply+1), "larger than 256 KiB"},
		"huge text":   {bytes.Repeat([]byte("x"), maxReply), "xxx…"},
		"large frame": {[]byte("\x00\x50\xff\xff\xff\xff\xff\xff"), "malformed"},
		"bomb":        {bomb, "malformed"},
		"new state":   {reply(t, func(s schema.SubmissionStatus) { s.SetRequestState(7) }), "newer one"},
	} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			// A connection that is closed with something unread is reset, and
			// the reply with it.
			io.Copy(io.Discard, r.Body)
			w.Write(tt.reply)
		})
		s, err := c.Status(context.Background(), testKey(1), packageID(nil))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %+v, %.200v", name, s, err)
		}
		if err != nil && len(err.Error()) > 3000 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}

// A redirect must not carry the token to another server.
func TestRedirect(t *testing.T) {
	asked := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked <- r.Header.Get("Authorization") }))
	defer other.Close()
	for _, code := range []int{301, 302, 307, 308} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, code) })
		_, err := c.Status(context.Background(), testKey(1), packageID(nil))
		if err == nil || !strings.Contains(err.Error(), other.URL) {
			t.Errorf("%d: %v", code, err)
		}
		select {
		case token := <-asked:
			t.Errorf("%d: the other server was asked, with %q", code, token)
		default:
		}
	}
}

func TestStall(t *testing.T) {
	release := make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { <-release })
	defer close(release)
	c.Stall = 50 * time.Millisecond
	if _, err := c.Status(context.Background(), testKey(1), packageID(nil)); err == nil || !strings.Contains(err.Error(), "no answer for 50ms") {
		t.Errorf("silent index: %v", err)
	}
	c.Stall = 0
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Status(ctx, testKey(1), packageID(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestWebkey(t *testing.T) {
	for _, s := range []string{
		"", "https://example.com", "https://example.com#", "example.com#t", "ftp://example.com#t", "https://#t",
		"https://user:secret@example.com#t", "https://example.com?x#t", "https://example.com#a#b", "https://example.com#a b", "https://example.com#a\r\nX: y",
		"https://exa mple.com#secret", "javascript:alert(1)#t", "https://example.com#" + strings.Repeat("x", 3000),
	} {
		if k, err := ParseWebkey(s); err == nil {
			t.Errorf("%q is %v", s, k)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", s, err)
		}
	}
	k, err := ParseWebkey("https://example.com/x//#S3cret")
	if err != nil || k.URL() != "https://example.com/x" || k.Plain() {
		t.Fatalf("%v, %v", k, err)
	}
	if k, err := ParseWebkey("http://[::1]:80#t"); err != nil || !k.Plain() {
		t.Errorf("%v, %v", k, err)
	}
	printed := ""
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, v := range []any{k, &k, Client{Webkey: k}, &Client{Webkey: k}, struct{ hidden Webkey }{k}} {
			printed += fmt.Sprintf(verb+"\n", v)
		}
	}
	if strings.Contains(printed, "S3cret") || strings.Contains(printed, fmt.Sprintf("%x", "S3cret")) {
		t.Error(printed)
	}
}

func TestExplain(t *testing.T) {
	seen := map[string]bool{}
	for _, verdict := range []Verdict{Pending, NeedsUpdate, Approved, NotUploaded} {
		for _, state := range []State{Ignore, Review, Publish} {
			s := Status{Verdict: verdict, Requested: state, Text: "TEXT"}
			said := s.Explain()
			if verdict == NeedsUpdate && !strings.Contains(said, "TEXT") || said == "" {
				t.Errorf("%v: %q", s, said)
			}
			seen[said] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d different sentences", len(seen))
	}
}

func FuzzParseReply(f *testing.F) {
	f.Add([]byte("error in words"))
	f.Add(reply(f, func(s schema.SubmissionStatus) { s.SetNeedsUpdate("icon"); s.SetPublishDate(-1) }))
	f.Add(reply(f, func(s schema.SubmissionStatus) {
		s.SetApproved("https://example.com/")
		s.SetNextSequenceNumber(1 << 63)
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseReply(data)
		if (s == nil) == (err == nil) {
			t.Errorf("%v, %v", s, err)
		}
		if err != nil {
			return
		}
		for _, c := range s.Explain() {
			if c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0 {
				t.Errorf("%q", s.Explain())
			}
		}
	})
}
