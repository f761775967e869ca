package author

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

const app = sandstorm.AppID("0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0")

// gpg is a real gpg with a home of its own.
type gpg struct {
	t    testing.TB
	home string
}

func newGPG(t testing.TB) gpg {
	t.Helper()
	// Sockets of its agent lie there: the path must be short.
	home, err := os.MkdirTemp("", "gpg")
	if err != nil {
		t.Fatal(err)
	}
	g := gpg{t, home}
	t.Cleanup(func() {
		exec.Command("gpgconf", "--homedir", home, "--kill", "gpg-agent").Run()
		os.RemoveAll(home)
	})
	return g
}

func (g gpg) run(stdin []byte, args ...string) []byte {
	g.t.Helper()
	cmd := exec.Command("gpg", append([]string{"--homedir", g.home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		g.t.Fatalf("gpg %q (Debian package gnupg): %v\n%s", args, err, &stderr)
	}
	return out
}

// key makes a key without a passphrase and returns its fingerprint.
func (g gpg) key(name, algo, expire string) string {
	g.t.Helper()
	g.run(nil, "--quick-gen-key", name, algo, "cert,sign", expire)
	for line := range strings.Lines(string(g.run(nil, "--with-colons", "--list-keys", name))) {
		if f := strings.Split(line, ":"); f[0] == "fpr" {
			return f[9]
		}
	}
	g.t.Fatalf("no fingerprint of %s", name)
	return ""
}

func (g gpg) export(keys ...string) []byte {
	g.t.Helper()
	return g.run(nil, append([]string{"--export"}, keys...)...)
}

func (g gpg) sign(text string, args ...string) []byte {
	g.t.Helper()
	return g.run([]byte(text), append(args, "--sign")...)
}

// original asks gpg as the original did: whether it exits with 0, what it says
// of the key, and the text.
func original(t testing.TB, signature, keyring []byte) (text, fingerprint string, ok bool) {
	t.Helper()
	g := newGPG(t)
	sig, keys := filepath.Join(g.home, "sig"), filepath.Join(g.home, "keys")
	if os.WriteFile(sig, signature, 0o600) != nil || os.WriteFile(keys, keyring, 0o600) != nil {
		t.Fatal("cannot write")
	}
	cmd := exec.Command("gpg", "--homedir", g.home, "--status-fd", "2", "--no-default-keyring", "--keyring", keys, "--decrypt", sig)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	for line := range strings.Lines(stderr.String()) {
		if f := strings.Fields(line); len(f) > 2 && f[1] == "VALIDSIG" {
			if fingerprint = f[2]; len(f) > 11 {
				fingerprint = f[11]
			}
			break
		}
	}
	t.Logf("gpg: %v %s\n%s", err, fingerprint, &stderr)
	return strings.TrimSpace(string(out)), fingerprint, err == nil
}

// agree fails unless Verify and the original say the same.
func agree(t *testing.T, signature, keyring []byte) (fingerprint string, err error) {
	t.Helper()
	text, want, ok := original(t, signature, keyring)
	ok = ok && text == Statement(app)
	got, err := Verify(signature, keyring, app)
	switch {
	case ok && (err != nil || got != want):
		t.Errorf("the original says %s, we say %q, %v", want, got, err)
	case !ok && err == nil:
		t.Errorf("the original refuses, we say %s", got)
	case err != nil && !sandstorm.IsKind(err, sandstorm.Invalid):
		t.Errorf("error of no kind: %v", err)
	}
	return got, err
}

func TestAlgorithms(t *testing.T) {
	for _, algo := range []string{"rsa1024", "rsa2048", "dsa1024", "dsa2048", "ed25519", "nistp256"} {
		t.Run(algo, func(t *testing.T) {
			g := newGPG(t)
			want := g.key("Ada <ada@example.org>", algo, "0")
			if got, err := agree(t, g.sign(Statement(app)+"\n"), g.export()); got != want || err != nil {
				t.Errorf("%s, %v, want %s", got, err, want)
			}
		})
	}
}

func TestForms(t *testing.T) {
	g := newGPG(t)
	want := g.key("Ada <ada@example.org>", "rsa1024", "0")
	keys, text := g.export(), "\n  "+Statement(app)+"\r\n\n"
	for name, sig := range map[string][]byte{
		"sha1":           g.sign(text, "--digest-algo", "SHA1"),
		"sha512":         g.sign(text, "--digest-algo", "SHA512"),
		"not compressed": g.sign(text, "--compress-algo", "none"),
		"bzip2":          g.sign(text, "--compress-algo", "bzip2"),
		"text mode":      g.sign(text, "--textmode"),
		"armored":        g.sign(text, "--armor"),
		"clear-signed":   g.run([]byte(text), "--clear-sign"),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := agree(t, sig, keys); got != want || err != nil {
				t.Errorf("%s, %v, want %s", got, err, want)
			}
		})
	}
}

func TestSubkey(t *testing.T) {
	g := newGPG(t)
	want := g.key("Ada <ada@example.org>", "ed25519", "0")
	g.run(nil, "--quick-add-key", want, "rsa2048", "sign", "0")
	g.run(nil, "--quick-add-key", want, "cv25519", "encr", "0")
	sig := g.sign(Statement(app))
	got, err := agree(t, sig, g.export())
	if got != want || err != nil {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	if n := len(mustKeys(t, g.export())[0].subkeys); n != 2 {
		t.Errorf("%d subkeys", n)
	}
}

// gpg accepts what was signed by a key that has expired since.
func TestExpired(t *testing.T) {
	g := newGPG(t)
	past := time.Now().Add(-48 * time.Hour).UTC().Format("20060102T150405")
	g.run(nil, "--faked-system-time", past, "--quick-gen-key", "Ada <ada@example.org>", "ed25519", "cert,sign", "1d")
	sig := g.sign(Statement(app), "--faked-system-time", past)
	if got, err := agree(t, sig, g.export()); len(got) != 40 || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

// A revoked key says little, but it stays the author's: gpg only warns.
func TestRevoked(t *testing.T) {
	g := newGPG(t)
	want := g.key("Ada <ada@example.org>", "ed25519", "0")
	sig := g.sign(Statement(app))
	cert, err := os.ReadFile(filepath.Join(g.home, "openpgp-revocs.d", want+".rev"))
	if err != nil {
		t.Fatal(err)
	}
	g.run(bytes.Replace(cert, []byte(":-----"), []byte("-----"), 1), "--import")
	agree(t, sig, g.export())
}

func TestTwoSigners(t *testing.T) {
	g := newGPG(t)
	ada, bob := g.key("Ada <ada@example.org>", "ed25519", "0"), g.key("Bob <bob@example.org>", "ed25519", "0")
	sig := g.sign(Statement(app), "-u", ada, "-u", bob)
	agree(t, sig, g.export())
	if _, err := agree(t, sig, g.export(ada)); err == nil {
		t.Error("one of two signatures was not checked")
	}
}

func TestRefused(t *testing.T) {
	g, other := newGPG(t), newGPG(t)
	ada := g.key("Ada <ada@example.org>", "ed25519", "0")
	other.key("Mallory <m@example.org>", "ed25519", "0")
	good, keys := g.sign(Statement(app), "--compress-algo", "none"), g.export()
	changed := bytes.Replace(good, []byte("0fhhgg"), []byte("1fhhgg"), 1)
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	for name, tt := range map[string]struct {
		sig, keys []byte
		want      string
	}{
		"other words":     {g.sign("I am the author."), keys, "other words"},
		"other app":       {g.sign(Statement("vxe8awcxvtj6yu0vgjpm1tsaeu7x8v8tfp71tyvnm6ykkephu9q0")), keys, "other words"},
		"more words":      {g.sign(Statement(app) + ", not"), keys, "other words"},
		"text changed":    {changed, keys, "does not hold"},
		"bit flipped":     {flipped, keys, "does not hold"},
		"other's keyring": {good, other.export(), "not in pgpKeyring"},
		"no keyring":      {good, nil, "no pgpKeyring"},
		"detached":        {g.run([]byte(Statement(app)), "--detach-sign"), keys, "detached"},
		"not signed":      {g.run([]byte(Statement(app)), "--store"), keys, "no signature"},
		"cut off":         {good[:len(good)-20], keys, "malformed"},
		"text":            {[]byte(Statement(app)), keys, "malformed"},
		"a key":           {keys, keys, "is a key"},
		"twice":           {append(bytes.Clone(good), good...), keys, "two texts"},
		"armored keyring": {good, g.run(nil, "--armor", "--export"), "without --armor"},
		"private keyring": {good, g.run(nil, "--export-secret-keys"), "PRIVATE"},
		"garbage keyring": {good, []byte("garbage"), "pgpKeyring"},
		"encrypted":       {g.run([]byte(Statement(app)), "--passphrase", "x", "--symmetric"), keys, "encrypted"},
		"huge text":       {g.sign(strings.Repeat(" ", 1<<20) + Statement(app)), keys, ""},
	} {
		_, err := Verify(tt.sig, tt.keys, app)
		if err == nil || !sandstorm.IsKind(err, sandstorm.Invalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if strings.Contains(fmt.Sprint(err), "PRIVATE") != (name == "private keyring") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if fp, err := Verify(nil, keys, app); fp != "" || err != nil {
		t.Errorf("no signature: %q, %v", fp, err)
	}
	if fp, err := Verify(good, keys, app); fp != ada || err != nil {
		t.Errorf("the good one: %q, %v", fp, err)
	}
}

// Mallory hangs his own subkey onto Ada's certificate, or hers onto his.
func TestForeignSubkeys(t *testing.T) {
	g, m := newGPG(t), newGPG(t)
	ada := g.key("Ada <ada@example.org>", "ed25519", "0")
	mallory := m.key("Mallory <m@example.org>", "ed25519", "0")
	m.run(nil, "--quick-add-key", mallory, "ed25519", "sign", "0")
	sig, adas, mallorys := m.sign(Statement(app)), g.export(), m.export()
	if _, err := agree(t, sig, mallorys); err != nil {
		t.Fatalf("the subkey does not work at its own place: %v", err)
	}
	stolen := append(bytes.Clone(adas), tail(t, m, mallorys)...)
	if got, err := agree(t, sig, stolen); err == nil {
		t.Errorf("Mallory signs as %s (Ada is %s)", got, ada)
	}

	g.run(nil, "--quick-add-key", ada, "ed25519", "sign", "0")
	hers := tail(t, g, g.export())
	if got, err := agree(t, g.sign(Statement(app)), append(bytes.Clone(mallorys), hers...)); err == nil {
		t.Errorf("Ada's signature is said to be by %s (Mallory is %s)", got, mallory)
	}
}

// tail is the last two packets of a certificate: a subkey and its binding.
func tail(t *testing.T, g gpg, cert []byte) []byte {
	t.Helper()
	offset := -1
	for line := range strings.Lines(string(g.run(cert, "--list-packets"))) {
		if strings.HasPrefix(line, "# off=") {
			var off, ctb, tag int
			if _, err := fmt.Sscanf(line, "# off=%d ctb=%x tag=%d", &off, &ctb, &tag); err == nil && tag == 14 {
				offset = off
			}
		}
	}
	if offset < 0 {
		t.Fatal("no subkey")
	}
	return cert[offset:]
}

func mustKeys(t *testing.T, b []byte) []certificate {
	t.Helper()
	keys, err := readKeys(b)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// A keyring that repeats a key costs no more than the budget.
func TestManyKeys(t *testing.T) {
	g, m := newGPG(t), newGPG(t)
	g.key("Ada <ada@example.org>", "rsa1024", "0")
	m.key("Mallory <m@example.org>", "rsa1024", "0")
	sig := g.sign(Statement(app), "--compress-algo", "none")
	sig[len(sig)-1] ^= 1
	began := time.Now()
	_, err := Verify(sig, bytes.Repeat(g.export(), 2000), app)
	if err == nil || !strings.Contains(err.Error(), "very often") {
		t.Error(err)
	}
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzVerify(f *testing.F) {
	g := newGPG(f)
	g.key("Ada <ada@example.org>", "ed25519", "0")
	keys := g.export()
	f.Add(g.sign(Statement(app)), keys)
	f.Add(g.sign(Statement(app), "--compress-algo", "none"), keys)
	f.Add(g.run([]byte(Statement(app)), "--clear-sign"), keys)
	f.Fuzz(func(t *testing.T, sig, keys []byte) {
		fp, err := Verify(sig, keys, app)
		if err != nil && !sandstorm.IsKind(err, sandstorm.Invalid) {
			t.Error(err)
		}
		if err == nil && len(sig) > 0 && len(fp) != 40 {
			t.Errorf("fingerprint %q", fp)
		}
	})
}
