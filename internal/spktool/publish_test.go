package spktool_test

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/keyring"
	"github.com/sandstorm-go/sandstorm/internal/spk"
	"github.com/sandstorm-go/sandstorm/internal/spktool"
	"github.com/sandstorm-go/sandstorm/schema"
)

// index is an app index that has nothing at first.
type index struct {
	t        *testing.T
	uploaded []byte
	asked    []string
}

func (x *index) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Authorization") != "Bearer tok-en" || r.Method != http.MethodPost {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	x.asked = append(x.asked, r.URL.Path)
	if r.URL.Path == "/sub/upload" {
		x.uploaded = body
		return
	}
	packed, signature := body[:len(body)-ed25519.SignatureSize], body[len(body)-ed25519.SignatureSize:]
	if !ed25519.Verify(packageKey().Public().(ed25519.PublicKey), packed, signature) {
		http.Error(w, "bad signature", http.StatusForbidden)
		return
	}
	msg, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		x.t.Error(err)
		return
	}
	status, err := schema.NewRootSubmissionStatus(seg)
	if err != nil {
		x.t.Error(err)
		return
	}
	status.SetRequestState(schema.SubmissionState_publish)
	if x.uploaded == nil {
		status.SetNotUploaded()
	} else if err := status.SetNeedsUpdate("the icon is \x1b[31mblurred"); err != nil {
		x.t.Error(err)
	}
	out, err := msg.MarshalPacked()
	if err != nil {
		x.t.Error(err)
	}
	_, _ = w.Write(append([]byte{0}, out...))
}

func packageKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)) }

// A package is sent if the index lacks it, and what the reviewers say is shown.
func TestPublish(t *testing.T) {
	dir := t.TempDir()
	key, err := keyring.FromPrivate(packageKey())
	if err != nil {
		t.Fatal(err)
	}
	ring := filepath.Join(dir, "keyring")
	if err := keyring.Add(ring, key); err != nil {
		t.Fatal(err)
	}
	command := sandstorm.Command{Argv: []string{"/app"}}
	manifest, err := spk.BuildManifest(&sandstorm.Manifest{AppTitle: sandstorm.LocalizedText{Default: "x"}, Continue: &command}, nil)
	if err != nil {
		t.Fatal(err)
	}
	root := spk.NewDirectory("")
	root.Put(spk.NewFile(spk.ManifestName, manifest, false))
	var content bytes.Buffer
	if _, err := spk.Write(t.Context(), &content, packageKey(), root, spk.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "app.spk")
	if err := os.WriteFile(file, content.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	x := &index{t: t}
	server := httptest.NewServer(x)
	defer server.Close()
	run := func(args ...string) string {
		t.Helper()
		cmd := spktool.New("test")
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(io.Discard)
		cmd.SetArgs(append([]string{"publish", "-k", ring, "--webkey", server.URL + "/sub#tok-en", file}, args...))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if said := run("--status"); !strings.Contains(said, "not") || x.uploaded != nil {
		t.Errorf("status of a package that is not there: %s", said)
	}
	said := run()
	if !strings.Contains(said, "blurred") || strings.Contains(said, "\x1b") {
		t.Errorf("the reviewers say %q", said)
	}
	if !bytes.Equal(x.uploaded, content.Bytes()) {
		t.Errorf("%d bytes were uploaded, not %d", len(x.uploaded), content.Len())
	}
	if got := strings.Join(x.asked, " "); got != "/sub/status /sub/status /sub/upload /sub/status" {
		t.Errorf("asked %s", got)
	}
}
