package keyring

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sandstorm-go/sandstorm"
)

// testKey is the key of a seed that starts with n.
func testKey(t testing.TB, n byte) Key {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	key, err := FromPrivate(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func message(t testing.TB, key Key) []byte {
	t.Helper()
	b, err := key.Message()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAddAndOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	if _, err := Open(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	want := []Key{testKey(t, 9), testKey(t, 1), testKey(t, 5)}
	for _, key := range want {
		if err := Add(path, key); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 3*KeySize {
		t.Errorf("%v, %v", info, err)
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range r.Keys() {
		if key.AppID() != want[i].AppID() || !key.Private().Equal(want[i].Private()) {
			t.Errorf("key %d is %v", i, key)
		}
	}
	if r.Exposed() {
		t.Error("mode 0600 is called exposed")
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if r, err := Open(path); err != nil || !r.Exposed() {
		t.Errorf("mode 0640 is not called exposed: %v", err)
	}
}

// Keyrings merge with cat, and getkey's output is one.
func TestMerge(t *testing.T) {
	a, b := testKey(t, 1), testKey(t, 2)
	keys, err := Parse(append(message(t, a), message(t, b)...))
	if err != nil || len(keys) != 2 || keys[0].AppID() != a.AppID() || keys[1].AppID() != b.AppID() {
		t.Errorf("%v, %v", keys, err)
	}
}

func TestFind(t *testing.T) {
	const (
		wekan    = sandstorm.AppID("m86q05rdvj14yvn78ghaxynqz7u2svw6rnttptxx49g1785cdv1h")
		wekanNew = sandstorm.AppID("6jz1aawur7kga7tdsj9kgpxx1yzh6xz1qmrpnqukcp1rekprd9f0")
	)
	public := func(app sandstorm.AppID) Key {
		key, ok := app.PublicKey()
		if !ok {
			t.Fatal(app)
		}
		return Key{public: key} // nobody here has the private ones
	}
	own := testKey(t, 3)
	r := &Keyring{keys: []Key{public(wekan), own, public(wekanNew)}}
	if key, err := r.Signing(wekan); err != nil || key.AppID() != wekanNew {
		t.Errorf("Wekan is signed by %v, %v", key, err)
	}
	if key, err := r.Literal(wekan); err != nil || key.AppID() != wekan {
		t.Errorf("Wekan's own key is %v, %v", key, err)
	}
	if key, err := r.Literal(sandstorm.AppID(strings.ToUpper(string(own.AppID())))); err != nil || key.AppID() != own.AppID() {
		t.Errorf("upper case: %v, %v", key, err)
	}
	if by, obsolete := Obsolete(wekan); !obsolete || by != wekanNew {
		t.Errorf("Wekan's key is replaced by %s, %v", by, obsolete)
	}
	if _, obsolete := Obsolete(own.AppID()); obsolete {
		t.Error("a key that was never replaced is obsolete")
	}
	other := testKey(t, 4).AppID()
	_, err := r.Signing(other)
	if !errors.Is(err, ErrNotFound) || err.Error() != string(other)+": key not found in keyring" {
		t.Errorf("missing key: %v", err)
	}
	if _, err := r.Literal("short"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("malformed id: %v", err)
	}
}

// What the capnp tool makes of a key is what we write, byte for byte.
func TestMessageIsTheOriginals(t *testing.T) {
	key := testKey(t, 7)
	text := fmt.Sprintf(`(publicKey = 0x"%x", privateKey = 0x"%x")`, key.public[:], []byte(key.Private()))
	cmd := exec.Command("capnp", "encode", "../../schema/sandstorm/package.capnp", "KeyFile")
	cmd.Stdin = strings.NewReader(text)
	want, err := cmd.Output()
	if err != nil {
		t.Fatalf("capnp (Debian package capnproto): %v", err)
	}
	if got := message(t, key); !bytes.Equal(got, want) || len(got) != KeySize {
		t.Errorf("got\n%x, want\n%x", got, want)
	}
}

func TestBadKeyrings(t *testing.T) {
	good := message(t, testKey(t, 1))
	other := message(t, testKey(t, 2))
	mixed := append(bytes.Clone(good[:64]), other[64:]...)
	flipped := bytes.Clone(good)
	flipped[70] ^= 1 // in the seed
	for name, tt := range map[string]struct {
		in   []byte
		want string
	}{
		"text":           {[]byte("-----BEGIN PGP PRIVATE KEY BLOCK-----"), "key 1, at byte 0: this is no key"},
		"short":          {[]byte{0}, "key 1, at byte 0: the file ends in the middle"},
		"cut off":        {append(bytes.Clone(good), other[:100]...), "key 2, at byte 128: the file ends in the middle"},
		"rubbish behind": {append(bytes.Clone(good), "\n"...), "key 2, at byte 128: the file ends in the middle"},
		"two keys mixed": {mixed, "key 1, at byte 0: the private key does not belong"},
		"bit flipped":    {flipped, "key 1, at byte 0: the private key does not belong"},
		"no public key":  {append(bytes.Clone(good[:16]), make([]byte, 112)...), "the public key has 0 bytes"},
		"huge message":   {[]byte("\x00\x00\x00\x00\xff\xff\xff\xff"), "this is no key"},
		"many segments":  {[]byte("\xff\xff\xff\xff\x01\x00\x00\x00"), "this is no key"},
		"too large":      {make([]byte, MaxSize+1), "larger than 16 MiB"},
	} {
		_, err := Parse(tt.in)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		path := filepath.Join(t.TempDir(), "keyring")
		if err := os.WriteFile(path, tt.in, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Add(path, testKey(t, 3)); err == nil {
			t.Errorf("%s: a key was added behind it", name)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(after, tt.in) {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

// A directory is refused, and a FIFO without a reader does not hang.
func TestOddFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); err == nil {
		t.Error("opened a directory")
	}
	if err := Add("/dev/null", testKey(t, 1)); err == nil {
		t.Error("added a key to /dev/null")
	}
	if err := Add(filepath.Join(dir, "no", "such"), testKey(t, 1)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such directory: %v", err)
	}
}

func TestAddAtTheSameTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	var wg sync.WaitGroup
	for n := range 20 {
		key := testKey(t, byte(n))
		wg.Go(func() {
			if err := Add(path, key); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if r, err := Open(path); err != nil || len(r.Keys()) != 20 {
		t.Errorf("%v, %v", r, err)
	}
}

func TestNothingPrintsPrivateKeys(t *testing.T) {
	key := testKey(t, 77)
	r := &Keyring{keys: []Key{key}}
	wrapped := struct{ hidden, Shown any }{key, []Key{key}}
	var printed bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		for _, v := range []any{key, &key, r, *r, wrapped, &wrapped, []Key{key}} {
			fmt.Fprintf(&printed, verb+"\n", v)
		}
	}
	slog.New(slog.NewTextHandler(&printed, nil)).Info("x", "key", key, "ring", r, "wrapped", wrapped)
	b, err := json.Marshal([]any{key, r, wrapped})
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(b)
	seed := []byte(key.Private()[:8])
	for _, form := range []string{
		string(seed[:4]), fmt.Sprint(seed[0], seed[1], seed[2], seed[3]), fmt.Sprintf("%x", seed[:4]), fmt.Sprintf("%X", seed[:4]), "0x4d, 0x0, 0x0",
	} {
		if strings.Contains(printed.String(), form) {
			t.Errorf("%q is in what was printed:\n%s", form, printed.String())
		}
	}
}

func FuzzParse(f *testing.F) {
	one := message(f, testKey(f, 1))
	f.Add(one)
	f.Add(append(bytes.Clone(one), message(f, testKey(f, 2))...))
	f.Add([]byte("\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := Parse(data)
		if err != nil {
			return
		}
		var again []byte
		for _, key := range keys {
			again = append(again, message(t, key)...)
		}
		reread, err := Parse(again)
		if err != nil || len(reread) != len(keys) {
			t.Fatalf("written again: %v", err)
		}
		for i := range keys {
			if reread[i].AppID() != keys[i].AppID() || ed25519.Verify(reread[i].public[:], nil, ed25519.Sign(keys[i].Private(), nil)) != true {
				t.Errorf("key %d changed", i)
			}
		}
	})
}
