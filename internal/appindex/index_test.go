package appindex

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"capnproto.org/go/capnp/v3"
	"golang.org/x/crypto/blake2b"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/schema"
)

// index is an app index that checks what one must check.
type index struct {
	t      *testing.T
	server *httptest.Server
	key    ed25519.PublicKey // of the one app that it knows

	mu       sync.Mutex
	packages map[sandstorm.PackageID]*entry
	refuse   string // said to uploads
}

type entry struct {
	state schema.SubmissionState
	next  uint64
}

const testToken = "To-k_en~123"

func newIndex(t *testing.T, key ed25519.PublicKey) *index {
	x := &index{t: t, key: key, packages: map[sandstorm.PackageID]*entry{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /base/status", x.status)
	mux.HandleFunc("POST /base/upload", x.upload)
	x.server = httptest.NewServer(mux)
	t.Cleanup(x.server.Close)
	return x
}

func (x *index) client(t *testing.T) *Client {
	t.Helper()
	webkey, err := ParseWebkey(x.server.URL + "/base/#" + testToken)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{Webkey: webkey}
}

func (x *index) authorized(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") == "Bearer "+testToken {
		return true
	}
	http.Error(w, "no such token", http.StatusForbidden)
	return false
}

func (x *index) upload(w http.ResponseWriter, r *http.Request) {
	if !x.authorized(w, r) {
		return
	}
	b, err := io.ReadAll(r.Body)
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil || x.refuse != "" {
		http.Error(w, x.refuse, http.StatusBadRequest)
		return
	}
	x.packages[packageID(b)] = &entry{}
}

func packageID(b []byte) sandstorm.PackageID {
	sum := sha256.Sum256(b)
	return sandstorm.PackageID(hex.EncodeToString(sum[:16]))
}

func (x *index) status(w http.ResponseWriter, r *http.Request) {
	if !x.authorized(w, r) {
		return
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, 4096))
	if err != nil || len(b) < ed25519.SignatureSize {
		io.WriteString(w, "truncated")
		return
	}
	body, sig := b[:len(b)-ed25519.SignatureSize], b[len(b)-ed25519.SignatureSize:]
	if !ed25519.Verify(x.key, body, sig) {
		io.WriteString(w, "the signature does not hold")
		return
	}
	msg, err := capnp.UnmarshalPacked(body)
	if err != nil {
		io.WriteString(w, "malformed")
		return
	}
	root, err := schema.ReadRootSubmissionRequest(msg)
	if err != nil {
		io.WriteString(w, "malformed")
		return
	}
	if problem := x.apply(w, root); problem != "" {
		io.WriteString(w, problem)
	}
}

func (x *index) apply(w io.Writer, root schema.SubmissionRequest) (problem string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	hash, _ := blake2b.New(16, nil)
	hash.Write([]byte(x.server.URL + "/base#" + testToken))
	if got, err := root.AppIndexWebkeyHash(); err != nil || !bytes.Equal(got, hash.Sum(nil)) {
		return "this request was meant for another index"
	}
	id, err := root.PackageId()
	if err != nil {
		return "malformed"
	}
	var raw [16]byte
	binary.LittleEndian.PutUint64(raw[:], id.Id0())
	binary.LittleEndian.PutUint64(raw[8:], id.Id1())
	e := x.packages[sandstorm.PackageID(hex.EncodeToString(raw[:]))]
	if e != nil && root.Which() == schema.SubmissionRequest_Which_setState {
		switch to := root.SetState(); {
		case to.NewState() == e.state:
		case to.SequenceNumber() < e.next:
			return "this request was sent before"
		default:
			e.state, e.next = to.NewState(), to.SequenceNumber()+1
		}
	}
	w.Write(reply(x.t, func(s schema.SubmissionStatus) {
		s.SetNotUploaded()
		if e != nil {
			s.SetPending()
			s.SetRequestState(e.state)
			s.SetNextSequenceNumber(e.next)
		}
	}))
	return ""
}

// reply makes the body of a reply to /status.
func reply(t testing.TB, set func(schema.SubmissionStatus)) []byte {
	t.Helper()
	msg, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		t.Fatal(err)
	}
	root, err := schema.NewRootSubmissionStatus(seg)
	if err != nil {
		t.Fatal(err)
	}
	set(root)
	b, err := msg.MarshalPacked()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{0}, b...)
}
