package spktool

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// packer is the command `spk pack`.
type packer struct {
	def   definition
	keys  keys
	trace bool
	store bool
	visit []string
	used  []string // what a trial found
}

func newPack() *cobra.Command {
	var p packer
	cmd := &cobra.Command{
		Use:   "pack OUTPUT.spk",
		Short: "Make a package and sign it",
		Long: "Make the package that the definition describes and sign it with the app's key. Prints\n" +
			"the id of the key that signed.\n\n" +
			"With --from the files come from an image as well; if the definition's list of files is\n" +
			"not there yet, the app is run once in the sandbox to find out which ones it uses.\n\n" +
			"Equal files make equal packages. SOURCE_DATE_EPOCH, in seconds since 1970, is the latest\n" +
			"time that files bear, as for other reproducible builds.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return p.run(cmd, args[0]) },
	}
	p.def.flags(cmd)
	p.def.fromFlag(cmd)
	p.keys.flags(cmd)
	cmd.Flags().BoolVar(&p.trace, "trace", false, "run the app to find out which files it uses, and add them to the list")
	cmd.Flags().BoolVar(&p.store, "store", false, "do not compress: much faster, and several times as large; for trying things out")
	cmd.Flags().StringArrayVar(&p.visit, "visit", nil, "a path to open as well while the app is traced; may be repeated")
	return cmd
}

func (p *packer) run(cmd *cobra.Command, output string) error {
	notAfter, err := sourceDate()
	if err != nil {
		return err
	}
	project, release, err := p.def.open(cmd, &p.keys)
	if err != nil {
		return err
	}
	defer release()
	ring, err := p.keys.open(cmd)
	if err != nil {
		return err
	}
	key, err := ring.Signing(project.ID)
	if err != nil {
		return err
	}
	if p.mustTrace(project) {
		if err := p.traceFiles(cmd, project); err != nil {
			return err
		}
	}
	root, err := project.Root(project.tree, pkgdef.RootOptions{
		NotAfter: notAfter, Used: p.used, Leave: absolute(output), Warn: func(s string) { warn(cmd.ErrOrStderr(), "%s", s) },
	})
	if err != nil {
		return err
	}
	out, err := createFile(output)
	if err != nil {
		return err
	}
	defer out.discard()
	if err := p.write(cmd, out, key.Private(), root); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), key.AppID())
	return err
}

// write writes the package and shows how far it is.
func (p *packer) write(cmd *cobra.Command, out *newFile, key ed25519.PrivateKey, root *spk.Node) error {
	var bar *progress
	_, err := spk.Write(cmd.Context(), out, key, root, spk.WriteOptions{Store: p.store, Progress: func(done, total int64) {
		if bar == nil {
			bar = newProgress(cmd.ErrOrStderr(), "Packing", total)
		}
		bar.at(done)
	}})
	if bar != nil {
		bar.done()
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted; no package was made")
	}
	return err
}

// mustTrace reports whether the app has to run before anybody knows which of
// the files to pack.
func (p *packer) mustTrace(project *project) bool {
	if p.trace {
		return true
	}
	if !project.from || slices.Contains(project.AlwaysInclude, ".") {
		return false
	}
	if project.FileList == "" {
		return true
	}
	_, err := os.Stat(project.FileList)
	return errors.Is(err, fs.ErrNotExist)
}
