package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// npmDef takes files out of one npm package, without its dependencies: those
// that we use have none.
type npmDef struct {
	Package   string   `json:"package"`
	Version   string   `json:"version"`
	Integrity string   `json:"integrity"` // sha512-…, as npm prints it
	Into      string   `json:"into"`      // path in the root
	Take      []string `json:"take"`      // patterns; none means everything
	Leave     []string `json:"leave"`     // patterns of what is not taken all the same
}

func (b *builder) fromNPM(ctx context.Context, n *npmDef, stage string) error {
	file := filepath.Join(b.work, "npm", fmt.Sprintf("%s-%s.tgz", n.Package, n.Version))
	content, err := os.ReadFile(file)
	if err != nil {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", filepath.Dir(file), n.Package+"@"+n.Version)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("npm pack %s: %w\n%s", n.Package, err, out)
		}
		if content, err = os.ReadFile(file); err != nil {
			return err
		}
	}
	sum := sha512.Sum512(content)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != n.Integrity {
		return fmt.Errorf("%s@%s is %s, not the package that this recipe was written for", n.Package, n.Version, got)
	}
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return err
	}
	return unpackNPM(tar.NewReader(z), n, filepath.Join(stage, n.Into))
}

func unpackNPM(t *tar.Reader, n *npmDef, to string) error {
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		_, name, ok := strings.Cut(h.Name, "/") // all lies below "package/"
		if !ok || h.Typeflag != tar.TypeReg || len(n.Take) > 0 && !matchesAny(n.Take, name) || matchesAny(n.Leave, name) {
			continue
		}
		if !filepath.IsLocal(name) {
			return fmt.Errorf("%s: %q leads out", n.Package, h.Name)
		}
		file := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := writeFile(file, h.FileInfo().Mode().Perm()|0o644, func(w io.Writer) error {
			_, err := io.Copy(w, t)
			return err
		}); err != nil {
			return err
		}
	}
}
