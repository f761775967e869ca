package spk

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"math/big"
	"testing"
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// The test vector of packages.md §2.
const (
	vectorArchive = "000000000900000000000000000001000100000027000000040000000200020001000000000000000100167b0d12d1140500000022000000050000001a00000072756e000000000068690a0000000000"
	vectorDigest  = "3087977f8ed4b31079b6feafd07a17bd2b1ca85043eccc04b8161fc1dd023e51c5ea6a8fb6920a6d495c6cd8e11a63b77e8665d6133d2642f2475f6b5878147c"
	vectorSig     = "f419af805ed7563451329ecc77c665a94579d7bfc358b0b3511edd07be873e71d642a819e3176ba0cb567f3f250f92998012f79e0d856511f4cc0035bee3c601"
)

func TestVector(t *testing.T) {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	run := NewFile("run", []byte("hi\n"), true)
	run.MTime = time.Unix(1500000000, 1)
	root := NewDirectory("")
	root.Put(run)
	plan, err := planArchive(root)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := plan.writeTo(context.Background(), &archive); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(archive.Bytes()); got != vectorArchive {
		t.Errorf("archive\n%s, want\n%s", got, vectorArchive)
	}
	if plan.size != int64(archive.Len()) {
		t.Errorf("planned %d bytes, wrote %d", plan.size, archive.Len())
	}
	digest := sha512.Sum512(archive.Bytes())
	if got := hex.EncodeToString(digest[:]); got != vectorDigest {
		t.Errorf("digest %s", got)
	}
	message, err := signMessage(ed25519.NewKeyFromSeed(seed), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := hex.DecodeString(vectorSig + vectorDigest); !bytes.HasSuffix(message, want) || len(message) != 192 {
		t.Errorf("signature message %x", message)
	}
	sig, err := readSignature(bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	if sig.digest != digest || sandstorm.AppIDFromKey(sig.key) != "0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0" {
		t.Errorf("read back %+v", sig)
	}
}

// Every point whose order divides eight is weak, and so is every y that is not
// reduced; ordinary keys are not.
func TestWeakKeys(t *testing.T) {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	for _, y := range smallOrderY {
		if !hasSmallOrder(y, p) {
			t.Errorf("%x is not of small order", y)
		}
		for _, sign := range []byte{0, 0x80} {
			key := y
			key[31] |= sign
			if !weakKey(key) {
				t.Errorf("%x passes", key)
			}
		}
	}
	for delta := int64(-1); delta < 19; delta++ { // p-1 is of small order, too
		var key [32]byte
		new(big.Int).Add(p, big.NewInt(delta)).FillBytes(key[:])
		for i := range 16 {
			key[i], key[31-i] = key[31-i], key[i]
		}
		if !weakKey(key) {
			t.Errorf("p%+d passes", delta)
		}
	}
	for i := range 100 {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = byte(i)
		if weakKey([32]byte(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))) {
			t.Errorf("key %d is called weak", i)
		}
	}
}

// hasSmallOrder doubles the point with that y three times, on paper.
func hasSmallOrder(le [32]byte, p *big.Int) bool {
	mod := func(x *big.Int) *big.Int { return x.Mod(x, p) }
	mul := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Mul(a, b)) }
	inv := func(a *big.Int) *big.Int { return new(big.Int).ModInverse(a, p) }
	one := big.NewInt(1)
	d := mul(big.NewInt(-121665), inv(big.NewInt(121666)))
	for i := range 16 {
		le[i], le[31-i] = le[31-i], le[i]
	}
	y := new(big.Int).SetBytes(le[:])
	yy := mul(y, y)
	xx := mul(mod(new(big.Int).Sub(yy, one)), inv(mod(new(big.Int).Add(mul(d, yy), one))))
	for range 3 { // x² and y of twice the point, from x² and y
		dxy := mul(d, mul(xx, yy))
		num := mul(big.NewInt(4), mul(xx, yy))
		plus, minus := mod(new(big.Int).Add(one, dxy)), mod(new(big.Int).Sub(one, dxy))
		if minus.Sign() == 0 || plus.Sign() == 0 {
			return false
		}
		y = mul(mod(new(big.Int).Add(yy, xx)), inv(minus))
		xx = mul(num, inv(mul(plus, plus)))
		yy = mul(y, y)
	}
	return xx.Sign() == 0 && y.Cmp(one) == 0
}

// Anybody can sign under a key of small order: here the identity, with a
// signature that needs no private key.
func TestSmallOrderKeyIsForgeable(t *testing.T) {
	identity, sig := [32]byte{0: 1}, make([]byte, 64)
	sig[0] = 1 // R is the identity too, S is 0
	digest := make([]byte, 64)
	if !ed25519.Verify(identity[:], digest, sig) {
		t.Fatal("crypto/ed25519 refuses such keys itself by now")
	}
	message, err := signatureMessage(identity[:], append(sig, digest...))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readSignature(bytes.NewReader(message)); err == nil {
		t.Error("a forged signature was accepted")
	}
}

func TestReplacements(t *testing.T) {
	seen := map[sandstorm.AppID]bool{}
	for _, r := range replacements {
		for _, id := range []sandstorm.AppID{r.original, r.replacement} {
			if canonical, err := sandstorm.ParseAppID(string(id)); err != nil || canonical != id || seen[id] {
				t.Errorf("%s is malformed or repeated: %v", id, err)
			}
			seen[id] = true
		}
		if got, err := OriginalAppID(r.replacement, "any"); err != nil || got != r.original {
			t.Errorf("%s is %s, %v", r.replacement, got, err)
		}
		if got := SigningAppID(r.original); got != r.replacement {
			t.Errorf("%s is signed by %s", r.original, got)
		}
	}
	drawio := replacements[1].original
	if _, err := OriginalAppID(drawio, "00000000000000000000000000000000"); sandstorm.KindOf(err) != sandstorm.Denied {
		t.Errorf("a package of a revoked key: %v", err)
	}
	for _, id := range replacements[1].except {
		if got, err := OriginalAppID(drawio, id); err != nil || got != drawio {
			t.Errorf("exception %s: %s, %v", id, got, err)
		}
	}
	if got, err := OriginalAppID(replacements[0].original, "any"); err != nil || got != replacements[0].original {
		t.Errorf("a key that was replaced but not revoked: %s, %v", got, err)
	}

	// A chain of two, and a cycle, which no list should have.
	defer func(old []replacement) { replacements = old }(replacements)
	replacements = []replacement{{original: "a", replacement: "b"}, {original: "b", replacement: "c"}}
	if got, _ := OriginalAppID("c", ""); got != "a" {
		t.Errorf("c is %s", got)
	}
	if got := SigningAppID("a"); got != "c" {
		t.Errorf("a is signed by %s", got)
	}
	replacements = []replacement{{original: "a", replacement: "b"}, {original: "b", replacement: "a"}}
	OriginalAppID("a", "")
	SigningAppID("a")
}
