// Package rootfs turns what others publish, OCI images and Debian packages,
// into a directory that becomes the root of a Sandstorm package. It needs no
// privilege and runs nothing of what it unpacks.
//
// Images and packages are foreign bytes: names never lead out of the directory,
// not even through symlinks that an earlier layer planted (CVE-2018-15664,
// CVE-2019-14271), sizes and counts are bounded, and after an error nothing
// stays behind. The same input makes the same files with the same times.
package rootfs

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Source is where the files of a root come from.
type Source interface {
	// Unpack writes the files to the directory into. It is made if it is
	// missing; if it is not empty, the files are added to what is there, and a
	// file that is there already is an error. After an error into is as it was.
	Unpack(ctx context.Context, into string, opts Options) (*Image, error)
}

// Options bound and direct the unpacking. The zero value is useful.
type Options struct {
	// Cache is where downloaded Debian packages are kept, by default the
	// directory spk/deb in the user's cache directory.
	Cache string
	// Pool, if set, is a new directory that gets all files of the Debian
	// packages, also those that the list leaves away, for build scripts that
	// need them.
	Pool string
	// MaxBytes bounds what is decompressed and written, by default 8 GiB.
	MaxBytes int64
	// MaxEntries bounds the files, directories and links in all archives
	// together, by default 1,000,000.
	MaxEntries int
	// Progress, if set, is told what is being done, for a person to read.
	Progress func(step string)

	run runner // starts apt; replaced in tests
}

const (
	defaultMaxBytes   = 8 << 30
	defaultMaxEntries = 1_000_000
)

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.MaxEntries <= 0 {
		o.MaxEntries = defaultMaxEntries
	}
	if o.run == nil {
		o.run = runApt
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return o
}

// Image is what the source says about the program in the root. What it does not
// say is empty.
type Image struct {
	Argv    []string // the command; the program's path is absolute where it was found
	Env     []string // KEY=VALUE
	WorkDir string   // absolute
	Ports   []int    // TCP ports that the program listens on, ascending
	Volumes []string // directories in which the program keeps its data, sorted
	// VarDir is where the image's own files below /var are now, as an absolute
	// path in the root: the grain's /var covers that place. It is empty if
	// there are none.
	VarDir string
	// Packages are the Debian packages as name_version_architecture, sorted.
	Packages []string
	// Warnings are for a person to read: what was left away or changed, and
	// what will be different in a grain.
	Warnings []string
}

const forms = `write "oci:DIR" or "oci:DIR:TAG" for an OCI image layout, or "deb:FILE" for a list of Debian packages`

// ParseSource understands "oci:DIR", "oci:DIR:TAG" and "deb:LIST". It does not
// look at the files.
func ParseSource(s string) (Source, error) {
	kind, rest, ok := strings.Cut(s, ":")
	switch {
	case !ok:
		return nil, fmt.Errorf("%q is no source of files: %s", s, forms)
	case kind != "oci" && kind != "deb":
		return nil, fmt.Errorf("%q is an unknown kind of source: %s", kind, forms)
	case rest == "":
		return nil, fmt.Errorf("%q names nothing: %s", s, forms)
	case strings.ContainsRune(rest, 0):
		return nil, errors.New("a file name cannot have a NUL byte in it")
	}
	if kind == "deb" {
		return debList{path: rest}, nil
	}
	return ociLayout{spec: rest}, nil
}
