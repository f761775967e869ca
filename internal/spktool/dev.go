package spktool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/control"
	"github.com/sandstorm-go/sandstorm/internal/devfs"
	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
)

// developer is the command `spk dev`.
type developer struct {
	def    definition
	keys   keys // not to sign with, but to keep from the app
	server string
	mount  string
	proc   bool
	cache  bool
	copy   bool
}

func newDev() *cobra.Command {
	var d developer
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Show the app to a server on this machine while you work on it",
		Long: "Show the app to a server on this machine: for as long as this runs, all grains of the app\n" +
			"run from your files, for everybody on that server, and start anew when a file that they\n" +
			"use has changed. No key is needed. At the end the files that were used are added to the\n" +
			"definition's list. Ctrl-C ends it; a second one at once.\n\n" +
			"The server is one that `sandstorm dev` or `make run` started, or one that is installed.\n" +
			"You must be its user, or in its group. If the machine allows no FUSE, the files of the\n" +
			"list are copied instead, and nothing is added to it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	d.def.flags(cmd)
	d.def.fromFlag(cmd)
	f := cmd.Flags()
	f.StringVarP(&d.server, "server", "s", "", "the server's data directory, or the directory it is installed in")
	f.StringVarP(&d.mount, "mount", "m", "", "mount the package at this directory instead, to look at it")
	f.BoolVarP(&d.cache, "cache", "c", false, "do not look out for changes")
	f.BoolVar(&d.proc, "proc", false, "give the app a /proc; packaged apps never have one")
	f.BoolVar(&d.copy, "copy", false, "copy the files even if the machine allows FUSE")
	d.keys.flags(cmd)
	return cmd
}

func (d *developer) run(cmd *cobra.Command) error {
	began := time.Now()
	file, _ := pkgdef.SplitName(d.def.spec)
	defined := stampOf(file)
	ctx, stop := interruptible(cmd)
	defer stop()
	project, release, err := d.def.open(cmd, &d.keys)
	if err != nil {
		return err
	}
	defer release()
	if d.mount != "" {
		return d.runMounted(ctx, cmd, project)
	}
	s := &devSession{developer: d, cmd: cmd, project: project, began: began, defined: defined, watched: map[string]bool{}}
	return s.run(ctx)
}

// interruptible ends the context at the first signal and the process at the
// second.
func interruptible(cmd *cobra.Command) (context.Context, func()) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	again := make(chan os.Signal, 2)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	over := make(chan struct{})
	go func() {
		for range 2 {
			select {
			case <-again:
			case <-over:
				return
			}
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "Ended at once; the list of files was not written.")
		os.Exit(1)
	}()
	return ctx, func() {
		stop()
		signal.Stop(again)
		close(over)
	}
}

// shownTree is a definition's tree as devfs wants it.
type shownTree struct{ *pkgdef.Tree }

// Resolve implements devfs.Tree.
func (t shownTree) Resolve(path string) (*devfs.Entry, error) {
	e, err := t.Tree.Resolve(path)
	return (*devfs.Entry)(e), err
}

// isNoFUSE reports whether the server could not mount the package.
func isNoFUSE(err error) bool {
	var e *control.Error
	return errors.As(err, &e) && e.Key == control.KeyNoFUSE
}
