package spktool

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
	"github.com/sandstorm-go/sandstorm/internal/trial"
)

// traceFiles runs the app once and notes which files it used: in the
// definition's list, if it has one, else for this package only.
func (p *packer) traceFiles(cmd *cobra.Command, project *project) error {
	talk := cmd.ErrOrStderr()
	result, err := p.try(cmd, project, false)
	if errors.Is(err, &trial.Failure{Reason: trial.NoFUSE}) && project.tree.Bounded() {
		// A copy of all files can be watched as well.
		result, err = p.try(cmd, project, true)
	}
	var failure *trial.Failure
	if errors.As(err, &failure) && slices.Contains([]trial.Reason{trial.NoFUSE, trial.NoSandbox, trial.RawAPI}, failure.Reason) {
		return fmt.Errorf("the app cannot be run here to find out which files it uses: %w\n"+
			"Run it with “spk dev” elsewhere and keep the list, or write “alwaysInclude = [\".\"]” into the definition to pack everything", err)
	}
	if err != nil {
		return fmt.Errorf("the app was run to find out which files it uses, but: %w", err)
	}
	fmt.Fprintf(talk, "The app listened after %d ms and used %d files. Check with “spk dev” that nothing is missing that only other pages need.\n",
		result.Ready.Milliseconds(), len(result.Used))
	p.used = result.Used
	if project.FileList == "" {
		return nil
	}
	return updateFileList(cmd, project, result.Used)
}

// try runs the app once, with its files shown to it or copied.
func (p *packer) try(cmd *cobra.Command, project *project, copied bool) (*trial.Result, error) {
	opts := trial.Options{App: project.ID, Visit: p.visit, Progress: func(step string) { fmt.Fprintln(cmd.ErrOrStderr(), step) }}
	var pkg *tempPackage
	var err error
	if copied {
		root, rerr := project.tree.Everything(pkgdef.RootOptions{})
		if rerr != nil {
			return nil, rerr
		}
		pkg, err = packTemp(cmd.Context(), root)
	} else {
		opts.Tree = shownTree{project.tree}
		pkg, err = packHead(cmd.Context(), project.Definition)
	}
	if err != nil {
		return nil, err
	}
	defer pkg.Close()
	opts.Package = pkg
	return trial.Run(cmd.Context(), opts)
}
