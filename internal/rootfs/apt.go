package rootfs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// apt fetches packages with the machine's own apt, which knows where they come
// from and checks their signatures.
type apt struct {
	cache string
	run   runner
	known map[string]*record // by name, or name=version; nil if apt does not know it
}

// runner starts apt-cache or apt-get in a directory and returns what it says.
type runner func(ctx context.Context, dir, program string, args ...string) (string, error)

// record is what apt knows about a package that it can fetch.
type record struct {
	debInfo
	sha256  string
	depends string
}

func newApt(cache string, run runner) (*apt, error) {
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("no directory for downloaded packages: %w", err)
		}
		cache = filepath.Join(dir, "spk", "deb")
	}
	return &apt{cache: cache, run: run, known: map[string]*record{}}, os.MkdirAll(cache, 0o755)
}

func runApt(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%s is not installed; packages by name need Debian or a relative of it, elsewhere list .deb files", program)
	}
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w\n%s", program, args[0], err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}

// lookup asks apt about packages, all in one go. Who is unknown to it stays
// nil in known.
func (a *apt) lookup(ctx context.Context, names []string) error {
	var ask []string
	for _, n := range names {
		if _, asked := a.known[n]; !asked {
			a.known[n] = nil
			ask = append(ask, n)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	// It fails if it knows none of them, which is no failure here.
	out, err := a.run(ctx, "", "apt-cache", append([]string{"show"}, ask...)...)
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		return err
	}
	for block := range strings.SplitSeq(out, "\n\n") {
		f := fields(block)
		r := &record{debInfo: debInfo{f["Package"], f["Version"], f["Architecture"]}, sha256: f["SHA256"], depends: f["Pre-Depends"] + ", " + f["Depends"]}
		// The newest comes first, but one that is only installed here, from
		// some other source, has no file that could be fetched.
		if f["Filename"] == "" || r.arch != wantArch && r.arch != "all" || !debName.MatchString(r.name) || !debVersion.MatchString(r.version) {
			continue
		}
		for _, key := range []string{r.name, r.name + "=" + r.version} {
			if have, asked := a.known[key]; asked && have == nil {
				a.known[key] = r
			}
		}
	}
	return nil
}

func (r *record) fileName() string {
	return fmt.Sprintf("%s_%s_%s.deb", r.name, strings.ReplaceAll(r.version, ":", "%3a"), r.arch)
}

// fetch returns the files of packages. One that was fetched before is taken
// again if it is still what apt's signed index says.
func (a *apt) fetch(ctx context.Context, records []*record, progress func(string)) error {
	var ask []string
	for _, r := range records {
		if a.intact(a.cache, r) != nil {
			ask = append(ask, r.name+"="+r.version)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	progress(fmt.Sprintf("fetching %d Debian packages", len(ask)))
	tmp, err := os.MkdirTemp(a.cache, "fetching-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if _, err := a.run(ctx, tmp, "apt-get", append([]string{"download", "-q"}, ask...)...); err != nil {
		return fmt.Errorf("%w\n(if the packages are gone, 'apt-get update' may help)", err)
	}
	for _, r := range records {
		if a.intact(a.cache, r) == nil {
			continue
		}
		if err := a.intact(tmp, r); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(tmp, r.fileName()), filepath.Join(a.cache, r.fileName())); err != nil {
			return err
		}
	}
	return nil
}

// intact compares a file with what the index says about it.
func (a *apt) intact(dir string, r *record) error {
	f, _, err := openFile(filepath.Join(dir, r.fileName()))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if sum := fmt.Sprintf("%x", h.Sum(nil)); sum != r.sha256 {
		return fmt.Errorf("the file of %s has another checksum than apt's index names", r.debInfo)
	}
	return nil
}
