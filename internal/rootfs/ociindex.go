package rootfs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What an image layout consists of (OCI image-spec, image-layout.md and
// image-index.md; the names of Docker's older formats in its registry's
// documentation).
const (
	indexOCI       = "application/vnd.oci.image.index.v1+json"
	indexDocker    = "application/vnd.docker.distribution.manifest.list.v2+json"
	manifestOCI    = "application/vnd.oci.image.manifest.v1+json"
	manifestDocker = "application/vnd.docker.distribution.manifest.v2+json"
	refName        = "org.opencontainers.image.ref.name"
	imageName      = "io.containerd.image.name"
)

const (
	maxNesting = 8     // indexes within indexes
	maxIndexes = 10000 // descriptors in all of them
)

// The platform of Sandstorm packages.
const (
	wantOS   = "linux"
	wantArch = "amd64"
)

type index struct {
	MediaType string       `json:"mediaType"`
	Manifests []descriptor `json:"manifests"`
}

// readLayout checks that dir is an image layout and returns its index.
func readLayout(dir string) (*index, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory; if it is an archive, unpack it first: mkdir image && tar -C image -xf %s", dir, dir)
	}
	var layout struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := readDocument(dir, "oci-layout", &layout); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(layout.Version, "1.") {
		return nil, fmt.Errorf("%s is an image layout of version %.20q; only version 1 is known", dir, layout.Version)
	}
	idx := new(index)
	return idx, readDocument(dir, "index.json", idx)
}

func readDocument(dir, name string, into any) error {
	text, err := readFile(filepath.Join(dir, name), maxJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not an OCI image layout: it has no file %s", dir, name)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s is malformed: %w", filepath.Join(dir, name), err)
	}
	return nil
}

// chooseTag keeps of an index what carries the tag.
func chooseTag(idx *index, tag string) ([]descriptor, error) {
	if tag == "" {
		return idx.Manifests, nil
	}
	var hits []descriptor
	var known []string
	for _, d := range idx.Manifests {
		for _, key := range []string{refName, imageName} {
			name := d.Annotations[key]
			if name == "" {
				continue
			}
			known = append(known, fmt.Sprintf("%.100q", name))
			if name == tag || strings.HasSuffix(name, ":"+tag) {
				hits = append(hits, d)
				break
			}
		}
	}
	if hits == nil {
		return nil, fmt.Errorf("the layout has no image with the tag %q; %s", tag, listOf("it has", known))
	}
	return hits, nil
}

func listOf(what string, names []string) string {
	if len(names) == 0 {
		return "its images have no tags"
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > 10 {
		names = append(names[:10], "…")
	}
	return what + " " + strings.Join(names, ", ")
}

// search collects the manifests for our platform, through nested indexes.
type search struct {
	dir   string
	found []descriptor
	other []string // other platforms
	seen  int
	read  map[digest]bool // indexes, each of which is read once
}

func (s *search) look(list []descriptor, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("indexes within indexes, more than %d levels", maxNesting)
	}
	for _, d := range list {
		if s.seen++; s.seen > maxIndexes {
			return fmt.Errorf("more than %d entries in the indexes", maxIndexes)
		}
		if p := d.Platform; p != nil && (p.OS != wantOS || p.Architecture != wantArch) {
			// What signs or describes an image has the platform "unknown".
			if p.OS != "unknown" {
				s.other = append(s.other, fmt.Sprintf("%.20s/%.20s", p.OS, p.Architecture))
			}
			continue
		}
		switch d.MediaType {
		case indexOCI, indexDocker:
			if s.read[d.Digest] {
				continue
			}
			s.read[d.Digest] = true
			var idx index
			if err := readJSON(s.dir, d, &idx); err != nil {
				return err
			}
			if err := s.look(idx.Manifests, depth+1); err != nil {
				return err
			}
		case manifestOCI, manifestDocker:
			if !slices.ContainsFunc(s.found, func(f descriptor) bool { return f.Digest == d.Digest }) {
				s.found = append(s.found, d)
			}
		}
	}
	return nil
}

// chooseManifest finds the one image that is meant.
func chooseManifest(dir, tag string) (descriptor, error) {
	idx, err := readLayout(dir)
	if err != nil {
		return descriptor{}, err
	}
	list, err := chooseTag(idx, tag)
	if err != nil {
		return descriptor{}, err
	}
	s := search{dir: dir, read: map[digest]bool{}}
	if err := s.look(list, 0); err != nil {
		return descriptor{}, err
	}
	switch len(s.found) {
	case 1:
		return s.found[0], nil
	case 0:
		if len(s.other) > 0 {
			return descriptor{}, fmt.Errorf("the image is not for %s/%s; %s", wantOS, wantArch, listOf("it is for", s.other))
		}
		return descriptor{}, errors.New("the layout has no image in it")
	}
	var names []string
	for _, d := range s.found {
		if n := d.Annotations[refName]; n != "" {
			names = append(names, fmt.Sprintf("%.100q", n))
		}
	}
	return descriptor{}, fmt.Errorf("the layout has %d images; say which as oci:%s:TAG; %s", len(s.found), dir, listOf("the tags are", names))
}
