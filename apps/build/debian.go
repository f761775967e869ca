package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// debianDef takes files out of Debian packages. Shared libraries and the
// dynamic linker need not be named: what the programs need is found among the
// packages (see libraries.go). The packages' copyright files always come along.
type debianDef struct {
	Packages []string `json:"packages"`
	Take     []string `json:"take"`  // patterns
	Leave    []string `json:"leave"` // patterns of what is not taken all the same
}

// merged are the directories that Debian has had below /usr since 2019, while
// some packages still name the old ones.
var merged = []string{"bin", "sbin", "lib", "lib64"}

func (b *builder) fromDebian(ctx context.Context, d *debianDef, pool, stage string) error {
	files, err := b.downloadDebian(ctx, d.Packages)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(pool); err != nil {
		return err
	}
	for _, file := range files {
		if err := unpackDeb(ctx, file, pool); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
	}
	take := append(slices.Clone(d.Take), "usr/share/doc/*/copyright")
	if err := takeFiles(pool, stage, take, d.Leave); err != nil {
		return err
	}
	for _, m := range merged {
		if _, err := os.Stat(filepath.Join(pool, "usr", m)); err != nil {
			continue
		}
		if err := os.Symlink("usr/"+m, filepath.Join(stage, m)); err != nil {
			return err
		}
	}
	var list strings.Builder
	for _, f := range files {
		list.WriteString(strings.TrimSuffix(filepath.Base(f), ".deb") + "\n")
	}
	return os.WriteFile(filepath.Join(stage, "usr/share/doc/packages"), []byte(list.String()), 0o644)
}

// downloadDebian fetches packages by their names and returns their files. What
// was fetched before is kept for as long as it is the newest.
func (b *builder) downloadDebian(ctx context.Context, packages []string) ([]string, error) {
	dir := filepath.Join(b.work, "deb")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	show := exec.CommandContext(ctx, "apt-cache", append([]string{"show"}, packages...)...)
	out, err := show.Output()
	if err != nil {
		return nil, fmt.Errorf("apt-cache show: %w (these recipes need Debian 12 and a fresh 'apt-get update')", err)
	}
	files := make([]string, 0, len(packages))
	var missing []string
	seen := map[string]bool{}
	for block := range strings.SplitSeq(string(out), "\n\n") {
		field := map[string]string{}
		for line := range strings.SplitSeq(block, "\n") {
			if k, v, ok := strings.Cut(line, ": "); ok && field[k] == "" {
				field[k] = v
			}
		}
		// The newest comes first, but one that is only installed here, from
		// some other source, cannot be downloaded.
		if field["Filename"] == "" || seen[field["Package"]] {
			continue
		}
		seen[field["Package"]] = true
		file := filepath.Join(dir, fmt.Sprintf("%s_%s_%s.deb", field["Package"], strings.ReplaceAll(field["Version"], ":", "%3a"), field["Architecture"]))
		files = append(files, file)
		if _, err := os.Stat(file); err != nil {
			missing = append(missing, field["Package"]+"="+field["Version"])
		}
	}
	if len(files) != len(packages) {
		return nil, fmt.Errorf("only %d of %d Debian packages are known here", len(files), len(packages))
	}
	if len(missing) > 0 {
		get := exec.CommandContext(ctx, "apt-get", append([]string{"download", "-q"}, missing...)...)
		get.Dir = dir
		if out, err := get.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("apt-get download: %w\n%s", err, out)
		}
	}
	slices.Sort(files)
	return files, nil
}

// unpackDeb unpacks a package's files below pool, with merged directories.
func unpackDeb(ctx context.Context, file, pool string) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = unpackTar(tar.NewReader(out), pool)
	_, _ = io.Copy(io.Discard, out)
	return errors.Join(err, cmd.Wait())
}

func unpackTar(t *tar.Reader, pool string) error {
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := mergedPath(strings.Trim(strings.TrimPrefix(h.Name, "./"), "/"))
		if name == "" || name == "." {
			continue
		}
		if !filepath.IsLocal(name) {
			return fmt.Errorf("%q leads out", h.Name)
		}
		to := filepath.Join(pool, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeDir:
			// One package's folder wins over another's symlink to nowhere.
			if _, serr := os.Stat(to); serr != nil {
				_ = os.Remove(to)
			}
			err = os.MkdirAll(to, 0o755)
		case tar.TypeSymlink:
			if err = os.Symlink(h.Linkname, to); errors.Is(err, fs.ErrExist) {
				err = nil
			}
		case tar.TypeLink:
			err = os.Link(filepath.Join(pool, mergedPath(strings.Trim(strings.TrimPrefix(h.Linkname, "./"), "/"))), to)
		case tar.TypeReg:
			err = writeFile(to, h.FileInfo().Mode().Perm(), func(w io.Writer) error {
				_, err := io.Copy(w, t)
				return err
			})
		}
		if err != nil {
			return err
		}
	}
}

func mergedPath(name string) string {
	first, _, _ := strings.Cut(name, "/")
	if slices.Contains(merged, first) {
		return "usr/" + name
	}
	return name
}

// takeFiles copies what fits the patterns from pool to stage, and what the
// symlinks among it lead to.
func takeFiles(pool, stage string, take, leave []string) error {
	used := make([]bool, len(take))
	err := filepath.WalkDir(pool, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == pool {
			return err
		}
		name, err := filepath.Rel(pool, p)
		if err != nil {
			return err
		}
		if matchesAny(leave, name) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		hit := false
		for i, pattern := range take {
			if matches(pattern, name) {
				hit, used[i] = true, true
			}
		}
		if !hit || d.IsDir() {
			return nil
		}
		return takeOne(pool, stage, name, leave)
	})
	for i, u := range used {
		if !u && err == nil {
			err = fmt.Errorf("nothing fits %q", take[i])
		}
	}
	return err
}

// takeOne copies one entry; of a symlink also what it leads to.
func takeOne(pool, stage, name string, leave []string) error {
	from, to := filepath.Join(pool, name), filepath.Join(stage, name)
	if _, err := os.Lstat(to); err == nil {
		return nil
	}
	if err := copyEntry(from, to); err != nil {
		return err
	}
	target, err := os.Readlink(from)
	if err != nil {
		return nil // not a symlink
	}
	if filepath.IsAbs(target) {
		target = mergedPath(strings.TrimPrefix(target, "/"))
	} else {
		target = filepath.Join(filepath.Dir(name), target)
	}
	info, err := os.Lstat(filepath.Join(pool, target))
	if err != nil || !filepath.IsLocal(target) {
		return nil // leads to what the app makes, or to nothing
	}
	if !info.IsDir() {
		return takeOne(pool, stage, target, leave)
	}
	return filepath.WalkDir(filepath.Join(pool, target), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(pool, p)
		if err != nil || matchesAny(leave, name) {
			return err
		}
		return takeOne(pool, stage, name, leave)
	})
}
