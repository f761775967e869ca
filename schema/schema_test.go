package schema_test

import (
	"io/fs"
	"regexp"
	"testing"

	"github.com/sandstorm-go/sandstorm/schema"
)

// Every type's id is written out, so that moving or renaming something cannot
// change it silently.
func TestIDsAreExplicit(t *testing.T) {
	decl := regexp.MustCompile(`(?m)^\s*(struct|interface|enum|const|annotation) \w+.*$`)
	withID := regexp.MustCompile(`^\s*\w+ \w+ @0x[0-9a-f]{16}\b`)
	files, err := fs.Glob(schema.Files, "sandstorm/*.capnp")
	if err != nil || len(files) != 10 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, name := range files {
		text, err := fs.ReadFile(schema.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range decl.FindAllString(string(text), -1) {
			if !withID.MatchString(line) {
				t.Errorf("%s: no explicit id: %s", name, line)
			}
		}
	}
}

func TestTypeIDs(t *testing.T) {
	// A sample across the files; packages.md §3 and §12, powerbox.md §2, gateway.md §13.
	for _, tt := range []struct {
		name      string
		got, want uint64
	}{
		{"Manifest", schema.Manifest_TypeID, 0x855f296a69e6e1ca},
		{"Archive.File", schema.Archive_File_TypeID, 0xd92313d72a1ab4d0},
		{"BridgeConfig", schema.BridgeConfig_TypeID, 0xdd8c82383168c096},
		{"SandstormApi", schema.SandstormApi_TypeID, 0xd2654fcf2a7002cb},
		{"UiView", schema.UiView_TypeID, 0xdbb4d798ea67e2e7},
		{"WebSession", schema.WebSession_TypeID, 0xa50711a14d35a8ce},
		{"ApiSession", schema.ApiSession_TypeID, 0xc879e379c625cdc7},
		{"Identity", schema.Identity_TypeID, 0xc084987aa951dd18},
		{"SubmissionRequest", schema.SubmissionRequest_TypeID, 0xeb3312cf8f466edc},
		{"SubmissionStatus", schema.SubmissionStatus_TypeID, 0x9c3bec0d7de33b66},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: id %#x, want %#x", tt.name, tt.got, tt.want)
		}
	}
}
