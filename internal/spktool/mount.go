package spktool

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/devfs"
)

// runMounted shows the package at a directory of this machine, without any
// server, until the context ends or somebody unmounts it.
func (d *developer) runMounted(ctx context.Context, cmd *cobra.Command, p *project) error {
	fs, err := devfs.Mount(d.mount, shownTree{p.tree}, devfs.Options{})
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "The package is at %s. Ctrl-C ends it.\n", d.mount)
	gone := make(chan struct{})
	go func() { fs.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-ctx.Done():
		var busy bool
		if busy, err = fs.Unmount(d.mount); !busy {
			<-gone
		}
	}
	return errors.Join(err, writeUsed(cmd, p, fs.Used()))
}
