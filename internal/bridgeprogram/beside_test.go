//go:build !bridge

package bridgeprogram

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBeside(t *testing.T) {
	dir := t.TempDir()
	defer func(old func() (string, error)) { executable = old }(executable)
	executable = func() (string, error) { return filepath.Join(dir, "spk"), nil }

	if _, err := Program(); err == nil || !strings.Contains(err.Error(), "make build") || !strings.Contains(err.Error(), dir) {
		t.Errorf("missing: %v", err)
	}
	for content, good := range map[string]bool{"\x7fELF...": true, "#!/bin/sh": false, "": false, "\x7fELF" + strings.Repeat("x", maxSize): false} {
		if err := os.WriteFile(filepath.Join(dir, Name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
		b, err := Program()
		if (err == nil) != good || good && string(b) != content {
			t.Errorf("%.10q: %q, %v", content, b, err)
		}
	}
}
