package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

func openTestStore(t testing.TB, path string) (*store, string) {
	t.Helper()
	s, text, err := openStore(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.file.Close() })
	return s, string(utf16.Decode(text))
}

func insertion(at int, text string, length int) Op {
	return Op{}.add(step{keep: at}).add(step{insert: units(text)}).add(step{keep: length - at})
}

func TestStoreKeepsChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "note.log")
	s, text := openTestStore(t, path)
	if text != "" || s.revision() != 0 {
		t.Fatalf("new store: %q at %d", text, s.revision())
	}
	if err := s.append([]change{{By: "a", Seq: 1, Op: insertion(0, "hi", 0)}, {By: "b", Seq: 1, Op: insertion(2, " 😀", 2)}}); err != nil {
		t.Fatal(err)
	}
	s, text = openTestStore(t, path)
	if text != "hi 😀" || s.revision() != 2 {
		t.Fatalf("reopened: %q at %d", text, s.revision())
	}
	if c, ok := s.since(1); !ok || len(c) != 1 || c[0].By != "b" {
		t.Errorf("since 1: %v %v", c, ok)
	}
	if _, ok := s.since(3); ok {
		t.Error("a revision of the future is known")
	}
}

// A crash may cut the file anywhere: whatever was saved before must be there,
// and the app must start.
func TestStoreSurvivesATornFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "note.log")
	s, _ := openTestStore(t, path)
	for i, c := range "abc" {
		if err := s.append([]change{{By: "a", Seq: i, Op: insertion(i, string(c), i)}}); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head := strings.IndexByte(string(whole), '\n') + 1
	for cut := head; cut < len(whole); cut++ {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		want := "abc"[:strings.Count(string(whole[head:cut]), "\n")]
		s, text := openTestStore(t, path)
		if text != want {
			t.Fatalf("cut at %d: %q, want %q", cut, text, want)
		}
		if err := s.append([]change{{Op: insertion(len(want), "!", len(want))}}); err != nil {
			t.Fatal(err)
		}
		if _, text = openTestStore(t, path); text != want+"!" {
			t.Fatalf("cut at %d, then written: %q", cut, text)
		}
	}
}

func TestStoreKeepsDamageAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "note.log")
	if err := os.WriteFile(path, []byte(`{"v":1,"rev":7,"text":"x"}`+"\n"+`{"op":[1,"y"]}`+"\ngarbage\n"+`{"op":[2,"z"]}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, text := openTestStore(t, path)
	if text != "xy" || s.revision() != 8 {
		t.Errorf("%q at %d", text, s.revision())
	}
	if _, err := os.Stat(path + ".damaged"); err != nil {
		t.Error("the damaged file was not kept")
	}
	for _, bad := range []string{"", "{}\n", "nonsense\n", `{"v":2,"rev":0,"text":""}` + "\n"} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := openStore(path, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%q was opened; it would be overwritten", bad)
		}
	}
}

func TestStoreCompacts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "note.log")
	s, _ := openTestStore(t, path)
	big := strings.Repeat("word ", 60)
	length := 0
	for i := range 3 * keepHistory {
		op := insertion(length, big, length)
		if i%2 == 1 { // take it back, so that the text stays small
			op = Op{}.add(step{del: length})
		}
		_, length = op.lengths()
		c := change{By: "a", Seq: i, Op: op}
		b, _ := json.Marshal(c)
		s.size += int64(len(b)) // as if each had been synced; the last one is
		s.ops = append(s.ops, c)
	}
	s.size = rewriteAfter
	before := s.revision()
	if err := s.append([]change{{By: "a", Seq: 9999, Op: insertion(length, "end", length)}}); err != nil {
		t.Fatal(err)
	}
	s, text := openTestStore(t, path)
	if !strings.HasSuffix(text, "end") || s.revision() != before+1 || len(s.ops) != keepHistory {
		t.Errorf("%d characters at revision %d with %d changes", len(text), s.revision(), len(s.ops))
	}
	if _, ok := s.since(1); ok {
		t.Error("history is longer than it should be")
	}
}
