package devfs

import (
	"fmt"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
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

// Unmount ends what Mount began at dir. While something uses the directory the
// name is taken away all the same, as far as this user may, and the files with
// the process: a dead directory must not stay behind. busy reports that.
func (f *FS) Unmount(dir string) (busy bool, err error) {
	if err = f.server.Unmount(); err == nil {
		return false, nil
	}
	if unix.Unmount(dir, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW) == nil {
		return true, nil
	}
	return true, fmt.Errorf("something uses %s, so it stays behind without files: end that, then run “fusermount3 -u %s” (%w)", dir, dir, err)
}
