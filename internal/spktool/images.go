package spktool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
	"github.com/sandstorm-go/sandstorm/internal/rootfs"
)

// unpackImages unpacks the images that --from names to temporary directories
// and returns them as mappings onto the package's root. release removes them.
func unpackImages(cmd *cobra.Command, from []string) (mappings []pkgdef.Mapping, release func(), err error) {
	var dirs []string
	remove := func() {
		for _, dir := range dirs {
			if err := os.RemoveAll(dir); err != nil {
				warn(cmd.ErrOrStderr(), "cannot remove %s: %v", dir, err)
			}
		}
	}
	defer func() {
		if err != nil {
			remove()
		}
	}()
	for _, spec := range from {
		dir, err := os.MkdirTemp("", "spk-root.")
		if err != nil {
			return nil, nil, err
		}
		dirs = append(dirs, dir)
		if _, err := unpackImage(cmd, spec, dir, rootfs.Options{}); err != nil {
			return nil, nil, err
		}
		mappings = append(mappings, pkgdef.Mapping{Source: dir})
	}
	return mappings, remove, nil
}

// unpackImage adds the files of one image to a directory.
func unpackImage(cmd *cobra.Command, spec, dir string, opts rootfs.Options) (*rootfs.Image, error) {
	source, err := rootfs.ParseSource(spec)
	if err != nil {
		return nil, UsageError{err}
	}
	opts.Progress = func(step string) { fmt.Fprintln(cmd.ErrOrStderr(), step) }
	image, err := source.Unpack(cmd.Context(), dir, opts)
	if err != nil {
		return nil, err
	}
	for _, w := range image.Warnings {
		warn(cmd.ErrOrStderr(), "%s", w)
	}
	return image, nil
}

func newRoot() *cobra.Command {
	var from []string
	var pool string
	cmd := &cobra.Command{
		Use:   "root --from SOURCE DIR",
		Short: "Unpack images into a directory, as the root of a package",
		Long: "Unpack an OCI image layout (oci:DIR) or the Debian packages of a list (deb:FILE) into a\n" +
			"directory that a definition's source map can name. Shared libraries that the programs\n" +
			"need come along. See docs/packaging.md for the form of lists.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(from) == 0 {
				return usagef("say what to unpack with --from oci:DIR or --from deb:LIST")
			}
			_, existed := os.Stat(args[0])
			for _, spec := range from {
				if _, err := unpackImage(cmd, spec, args[0], rootfs.Options{Pool: pool}); err != nil {
					if errors.Is(existed, fs.ErrNotExist) {
						err = errors.Join(err, os.RemoveAll(args[0]))
					}
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&from, "from", nil, "what to unpack: oci:DIR[:TAG] or deb:LIST; may be repeated")
	cmd.Flags().StringVar(&pool, "pool", "", "also put all files of the Debian packages into this new directory")
	return cmd
}
