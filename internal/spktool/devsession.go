package spktool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/control"
	"github.com/sandstorm-go/sandstorm/internal/devfs"
	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
)

// devSession is one run of `spk dev` with a server.
type devSession struct {
	*developer
	cmd     *cobra.Command
	project *project
	began   time.Time                   // before the definition was read
	defined stamp                       // of the definition, from then
	tree    atomic.Pointer[pkgdef.Tree] // what the file system shows now
	dev     *control.Dev
	fs      *devfs.FS // nil in copy mode
	changes *watcher
	watched map[string]bool // paths whose files changes looks out for
}

// Resolve implements devfs.Tree, whatever tree it is now.
func (s *devSession) Resolve(path string) (*devfs.Entry, error) {
	return shownTree{s.tree.Load()}.Resolve(path)
}

// Names implements devfs.Tree.
func (s *devSession) Names(dir string) ([]string, error) { return s.tree.Load().Names(dir) }

func (s *devSession) run(ctx context.Context) (err error) {
	s.tree.Store(s.project.tree)
	socket, err := devSocket(s.server)
	if err != nil {
		return err
	}
	if s.changes, err = newWatcher(); err != nil {
		return err
	}
	defer s.changes.close()
	if err := s.open(ctx, socket); err != nil {
		return err
	}
	defer s.end()
	s.announce()
	err = s.follow(ctx)
	if err == nil {
		s.say("Ending; the app's grains go back to the installed package.")
	}
	err = errors.Join(err, s.end())
	if s.fs == nil {
		return err
	}
	return errors.Join(err, writeUsed(s.cmd, s.project, s.fs.Used()))
}

// open registers the app, with its files served from here if that works.
func (s *devSession) open(ctx context.Context, socket string) error {
	opts := control.DevOptions{App: s.project.ID, Mount: !s.copy, Proc: s.proc}
	err := s.register(ctx, socket, opts)
	if isNoFUSE(err) {
		s.say("The server cannot mount a FUSE file system here (" + err.Error() + ").\n" +
			"The files of the list are copied instead; files that the app needs besides are not found out.")
		s.copy, opts.Mount = true, false
		err = s.register(ctx, socket, opts)
	}
	if err != nil || s.copy {
		return err
	}
	s.fs, err = devfs.Serve(s.dev.FUSE(), s, devfs.Options{})
	err = errors.Join(err, s.dev.FUSE().Close())
	if err != nil {
		err = errors.Join(err, s.dev.Close())
	}
	return err
}

func (s *devSession) register(ctx context.Context, socket string, opts control.DevOptions) error {
	pkg, err := s.pack(ctx)
	if err != nil {
		return err
	}
	defer pkg.Close()
	s.dev, err = control.OpenDev(ctx, socket, opts, pkg, pkg.size)
	return err
}

// pack makes the package that the server gets: everything in copy mode, else
// what says how the app is started.
func (s *devSession) pack(ctx context.Context) (*tempPackage, error) {
	if !s.copy {
		return packHead(ctx, s.project.Definition)
	}
	root, err := s.project.Root(s.tree.Load(), pkgdef.RootOptions{
		Picked: func(file string) { s.changes.addStamped(file, stampOf(file)) }, Warn: func(text string) { warn(s.cmd.ErrOrStderr(), "%s", text) },
	})
	if err != nil {
		return nil, err
	}
	return packTemp(ctx, root)
}

func (s *devSession) announce() {
	title := s.project.Parsed.AppTitle.Default
	if url := s.dev.URL(); url != "" {
		s.say(title + " is now in development at " + url + "\nCtrl-C ends it.")
		return
	}
	s.say(title + " is now in development on the server.\nCtrl-C ends it.")
}

// end tells the server, once.
func (s *devSession) end() error {
	err := s.dev.Close()
	if s.fs != nil {
		err = errors.Join(err, s.fs.Close())
	}
	return err
}

func (s *devSession) say(text string) { fmt.Fprintln(s.cmd.ErrOrStderr(), text) }

// writeUsed adds what was used to the list of files, or prints it where the
// definition has no list.
func writeUsed(cmd *cobra.Command, p *project, used []string) error {
	if p.FileList == "" {
		if slices.Contains(p.AlwaysInclude, ".") {
			return nil
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "The app used the files below. With fileList in the definition they would be kept there.")
		for _, path := range used {
			if _, err := io.WriteString(cmd.OutOrStdout(), path+"\n"); err != nil {
				return err
			}
		}
		return nil
	}
	return updateFileList(cmd, p, used)
}

// updateFileList adds what was used to the definition's list and says what
// changed there.
func updateFileList(cmd *cobra.Command, p *project, used []string) error {
	changes, err := pkgdef.UpdateFileList(p.FileList, used, p.tree)
	if err != nil {
		return err
	}
	for _, path := range changes.Dropped {
		warn(cmd.ErrOrStderr(), "No file found to satisfy requirement: %s, removing from %s", path, p.FileList)
	}
	for _, path := range changes.Left {
		warn(cmd.ErrOrStderr(), "%q was used, but %s cannot name it: write the directory into alwaysInclude", path, p.FileList)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d files added, %d removed\n", p.FileList, len(changes.Added), len(changes.Dropped))
	return nil
}
