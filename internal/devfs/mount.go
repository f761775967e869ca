package devfs

import (
	"fmt"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Mount shows the tree at a directory of this machine, for people to look at.
// Root mounts it by itself, others need the program fusermount3. It can be used
// once Mount has returned, and is there until Unmount.
func Mount(dir string, tree Tree, opts Options) (*FS, error) {
	f := newFS(tree, opts)
	mount := f.mountOptions()
	mount.DirectMount = true
	mount.Options = append(mount.Options, "ro")
	mount.FsName, mount.Name = "spk", "spk"
	var err error
	f.server, err = fuse.NewServer(&raw{RawFileSystem: fuse.NewDefaultRawFileSystem(), f: f}, dir, mount)
	if err != nil {
		return nil, fmt.Errorf("cannot mount the package at %s (without root this needs the Debian package fuse3): %w", dir, err)
	}
	f.served.Go(f.server.Serve)
	return f, f.server.WaitMount()
}

// Unmount ends what Mount began. It fails while something uses the directory.
func (f *FS) Unmount() error { return f.server.Unmount() }
