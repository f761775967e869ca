package rootfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// ociLayout is a directory in the OCI image layout, and maybe a tag.
type ociLayout struct {
	spec string // DIR or DIR:TAG
}

const maxLayers = 1000

// layerTypes are the media types of layers. How they are compressed is seen
// from their content.
var layerTypes = []string{
	"application/vnd.oci.image.layer.v1.tar",
	"application/vnd.oci.image.layer.nondistributable.v1.tar",
	"application/vnd.docker.image.rootfs.diff.tar",
	"application/vnd.docker.image.rootfs.foreign.diff.tar",
}

var configTypes = []string{
	"application/vnd.oci.image.config.v1+json",
	"application/vnd.docker.container.image.v1+json",
}

type manifest struct {
	Config descriptor   `json:"config"`
	Layers []descriptor `json:"layers"`
}

// split finds the end of the directory's name, which may have colons in it.
func (l ociLayout) split() (dir, tag string) {
	if _, err := os.Stat(l.spec); err == nil {
		return l.spec, ""
	}
	for i := range len(l.spec) {
		if l.spec[i] != ':' {
			continue
		}
		if info, err := os.Stat(l.spec[:i]); err == nil && info.IsDir() {
			return l.spec[:i], l.spec[i+1:]
		}
	}
	dir, tag, _ = strings.Cut(l.spec, ":")
	return dir, tag
}

// Unpack implements Source.
func (l ociLayout) Unpack(ctx context.Context, into string, opts Options) (*Image, error) {
	opts = opts.withDefaults()
	dir, tag := l.split()
	img, err := unpackImage(ctx, dir, tag, into, opts)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", l.spec, err)
	}
	return img, nil
}

func unpackImage(ctx context.Context, dir, tag, into string, opts Options) (*Image, error) {
	desc, err := chooseManifest(dir, tag)
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := readJSON(dir, desc, &m); err != nil {
		return nil, err
	}
	if m.Config.MediaType != "" && !slices.Contains(configTypes, m.Config.MediaType) {
		return nil, fmt.Errorf("it is no container image, but a %.80q", m.Config.MediaType)
	}
	var c config
	if err := readJSON(dir, m.Config, &c); err != nil {
		return nil, err
	}
	if err := c.check(len(m.Layers)); err != nil {
		return nil, err
	}
	work, err := newWork(into)
	if err != nil {
		return nil, err
	}
	defer work.discard()
	n := &notes{}
	if err := unpackLayers(ctx, dir, &m, &c, work.root, opts, n); err != nil {
		return nil, err
	}
	img, err := c.describe(work.root, n)
	if err != nil {
		return nil, err
	}
	return img, work.publish()
}

func unpackLayers(ctx context.Context, dir string, m *manifest, c *config, root string, opts Options, n *notes) error {
	t, err := newTree(root, newBudget(opts), n)
	if err != nil {
		return err
	}
	for i, d := range m.Layers {
		opts.Progress(fmt.Sprintf("layer %d of %d (%d KiB)", i+1, len(m.Layers), d.Size>>10))
		if err = unpackLayer(ctx, t, dir, d, c.RootFS.DiffIDs[i]); err != nil {
			err = fmt.Errorf("layer %d of %d: %w", i+1, len(m.Layers), err)
			break
		}
	}
	return errors.Join(err, t.finish())
}

func unpackLayer(ctx context.Context, t *tree, dir string, d descriptor, diffID digest) error {
	if !slices.ContainsFunc(layerTypes, func(known string) bool {
		return d.MediaType == known || strings.HasPrefix(d.MediaType, known+"+") || strings.HasPrefix(d.MediaType, known+".")
	}) || strings.HasSuffix(d.MediaType, "+encrypted") {
		return fmt.Errorf("layers of the type %.80q are not supported", d.MediaType)
	}
	_, sum, digits, err := diffID.parse()
	if err != nil {
		return err
	}
	b, err := openBlob(dir, d)
	if err != nil {
		return err
	}
	defer b.close()
	plain, err := decompress(b)
	if err != nil {
		return fmt.Errorf("the blob %s is damaged: %w", d.Digest, err)
	}
	defer plain.Close()
	stream := io.TeeReader(&bounded{ctx: ctx, r: plain, b: t.budget}, sum)
	l := layer{tree: t, made: map[string]struct{}{}}
	if err := l.apply(stream); err != nil {
		return err
	}
	if err := drain(stream); err != nil {
		return err
	}
	if err := b.verify(); err != nil {
		return err
	}
	if fmt.Sprintf("%x", sum.Sum(nil)) != digits {
		return fmt.Errorf("the layer's content is not the one that the image names, %s", diffID)
	}
	return nil
}
