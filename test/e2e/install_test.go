package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/test/harness"
)

// leftovers are the names below the data directory where an install could have
// left something.
func leftovers(t *testing.T, s *harness.Server) (names []string) {
	t.Helper()
	for _, dir := range []string{"apps", "tmp"} {
		entries, err := os.ReadDir(filepath.Join(s.Data, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, dir+"/"+e.Name())
		}
	}
	return names
}

// TestBadPackages: each gets a sentence and an exit code, and leaves nothing.
func TestBadPackages(t *testing.T) {
	s := harness.Start(t, false)
	good, err := os.ReadFile(harness.Package(t, "probe"))
	if err != nil {
		t.Fatal(err)
	}
	flip := func(at int) []byte {
		b := append([]byte{}, good...)
		b[at] ^= 0x10
		return b
	}
	for _, tt := range []struct {
		name    string
		content []byte
	}{
		{"empty", nil},
		{"text", []byte("hello")},
		{"magic only", good[:8]},
		{"wrong magic", flip(0)},
		{"xz header", flip(10)},
		{"the start of the data", flip(60)},
		{"the middle of the data", flip(len(good) / 2)},
		{"the end of the data", flip(len(good) - 40)},
		{"truncated", good[:len(good)/2]},
		{"last byte missing", good[:len(good)-1]},
		{"junk behind", append(append([]byte{}, good...), "junk"...)},
	} {
		path := filepath.Join(t.TempDir(), "bad.spk")
		if err := os.WriteFile(path, tt.content, 0o644); err != nil {
			t.Fatal(err)
		}
		out, errs, exit := s.Command("app", "install", path, "--json")
		if exit != 1 || out != "" || !strings.HasPrefix(errs, "sandstorm: ") || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d, output %q, error %q", tt.name, exit, out, errs)
		}
	}
	if names := leftovers(t, s); len(names) != 0 {
		t.Errorf("something stayed: %v", names)
	}
	if app := s.Install("probe"); app.Title != "Probe" {
		t.Errorf("the good one: %+v", app)
	}
}

// TestExitCodes: scripts tell what went wrong by these.
func TestExitCodes(t *testing.T) {
	s := harness.Start(t, false)
	for _, tt := range []struct {
		args string
		exit int
	}{
		{"status", 0},
		{"nonsense", 2},
		{"app", 2},
		{"app install", 2},
		{"grain create --app x", 2},
		{"grain create --app x --user alice", 1},
		{"grain create --app 0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0 --user alice", 3},
		{"grain stop aaaaaaaaaaaaaaaaaaaaaa", 3},
		{"grain open aaaaaaaaaaaaaaaaaaaaaa --user alice", 3},
		{"app install /no/such/file.spk", 1},
		{"app install http://127.0.0.1:1/x.spk", 1},
	} {
		_, errs, exit := s.Command(strings.Fields(tt.args)...)
		if exit != tt.exit || (exit != 0) != (errs != "") {
			t.Errorf("%s: exit %d, want %d; %q", tt.args, exit, tt.exit, errs)
		}
	}
}
