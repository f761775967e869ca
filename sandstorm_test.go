package sandstorm_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
)

func TestAppIDVector(t *testing.T) {
	// The public key that follows from seed 00 01 … 1f (spec/packages.md §2).
	const want = sandstorm.AppID("0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0")
	key, ok := want.PublicKey()
	if !ok {
		t.Fatal("vector does not decode")
	}
	if got := sandstorm.AppIDFromKey(key); got != want {
		t.Errorf("re-encoded %q, want %q", got, want)
	}
	var ff [32]byte
	for i := range ff {
		ff[i] = 0xff
	}
	if got, want := sandstorm.AppIDFromKey(ff), strings.Repeat("z", 51)+"h"; string(got) != want {
		t.Errorf("all ones: %q, want %q", got, want)
	}
}

func TestParseAppID(t *testing.T) {
	const canonical = "0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0"
	for _, tt := range []struct {
		name, in string
		ok       bool
	}{
		{"canonical", canonical, true},
		{"upper case", strings.ToUpper(canonical), true},
		{"o for 0", "o" + canonical[1:], true},
		{"b for 8", strings.Replace(canonical, "8", "b", 1), true},
		{"short", canonical[1:], false},
		{"long", canonical + "0", false},
		{"spare bits set", canonical[:51] + "1", false},
		{"foreign letter", "u!" + canonical[2:], false},
		{"empty", "", false},
	} {
		got, err := sandstorm.ParseAppID(tt.in)
		if (err == nil) != tt.ok {
			t.Errorf("%s: err = %v, want ok %v", tt.name, err, tt.ok)
		}
		if tt.ok && got != canonical {
			t.Errorf("%s: got %q", tt.name, got)
		}
	}
}

func TestSessionIDs(t *testing.T) {
	id := sandstorm.NewSessionID()
	if len(id.HostID()) != 32 || len(id.TabID()) != 32 || string(id.HostID()) == string(id.TabID()) {
		t.Fatalf("host %q, tab %q", id.HostID(), id.TabID())
	}
	if !id.Opens(id.HostID()) || sandstorm.NewSessionID().Opens(id.HostID()) {
		t.Error("a session must open its own host and no other")
	}
	for _, bad := range []string{"", "abc", strings.Repeat("A", 64), strings.Repeat("a", 63) + ";", strings.Repeat("a", 65)} {
		if _, ok := sandstorm.ParseSessionID(bad); ok {
			t.Errorf("%q was accepted as a session id", bad)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	id := sandstorm.NewSessionID()
	b, err := json.Marshal(map[string]any{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{fmt.Sprint(id), fmt.Sprintf("%#v %+v %s %q", id, id, id, id), string(b)} {
		if strings.Contains(out, id.Reveal()) {
			t.Errorf("secret shows in %s", out)
		}
	}
}

func TestRandomIDs(t *testing.T) {
	seen := map[sandstorm.GrainID]bool{}
	for range 1000 {
		id := sandstorm.NewGrainID()
		if _, err := sandstorm.ParseGrainID(string(id)); err != nil || len(id) != 22 || seen[id] {
			t.Fatalf("bad or repeated id %q", id)
		}
		seen[id] = true
	}
}

func FuzzParseAppID(f *testing.F) {
	f.Add("0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := sandstorm.ParseAppID(s)
		if err != nil {
			return
		}
		again, err := sandstorm.ParseAppID(string(id))
		if err != nil || again != id {
			t.Fatalf("%q: canonical form %q does not parse to itself: %q, %v", s, id, again, err)
		}
	})
}
