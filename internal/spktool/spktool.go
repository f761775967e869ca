// Package spktool is the packager's tool: the commands of `spk`, which are those
// of `sandstorm spk` as well (packages.md §9). They work without a server, but
// for `dev`, which shows an app to one, and `publish`.
//
// App ids and other data go to standard output, one per line; messages and
// progress to standard error. Exit codes: 0 done, 1 failure, 2 wrong usage.
// Whatever fails leaves no half-written file behind.
package spktool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/locale"
	"github.com/sandstorm-go/sandstorm/internal/terminal"
)

// UsageError is a mistake in the command line itself.
type UsageError struct{ error }

// Unwrap returns the mistake.
func (e UsageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// Error is the failure of one of the commands, for Report.
type Error struct{ error }

// Unwrap returns what went wrong.
func (e Error) Unwrap() error { return e.error }

// New returns the command `spk` with all of its commands. What they print is made
// harmless to terminals: packages and source trees come from strangers.
func New(release string) *cobra.Command {
	root := &cobra.Command{
		Use:   "spk",
		Short: "Make, check and try Sandstorm packages",
		Long: "Make, check and try Sandstorm packages.\n\n" +
			"Start in the folder of an app: `spk init` looks at it and writes a package definition,\n" +
			"`spk dev` shows the app to a server on this machine while you work on it, `spk pack`\n" +
			"makes the package. All of them read sandstorm-pkgdef.capnp in the current folder.\n\n" +
			"Signing keys are kept in ~/.sandstorm-keyring. Whoever has a key can publish updates of\n" +
			"the app, and without it nobody can: keep a copy. Keyrings can be joined with cat.",
		Version:       release,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q; see spk --help", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(terminal.NewPlain(os.Stdout))
	root.SetErr(terminal.NewPlain(os.Stderr))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return UsageError{err} })
	root.AddCommand(
		newKeygen(), newListkeys(), newGetkey(),
		newInit(), newPack(), newUnpack(), newVerify(), newDev(), newPublish(),
		newEval(), newSchema(), newRoot(),
	)
	for _, cmd := range root.Commands() {
		checkArgs(cmd)
		run := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if !handlesSignals(cmd) {
				// The first signal ends the context, the second one the process, if
				// that takes too long.
				defer context.AfterFunc(cmd.Context(), func() { signal.Reset(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) })()
			}
			if err := run(cmd, args); err != nil {
				return Error{err}
			}
			return nil
		}
	}
	return root
}

// handlesSignals reports whether a command counts signals by itself.
func handlesSignals(cmd *cobra.Command) bool { return cmd.Name() == "dev" }

// Owns reports whether an error came out of one of the commands.
func Owns(err error) bool {
	var failure Error
	var usage UsageError
	return errors.As(err, &failure) || errors.As(err, &usage)
}

// checkArgs makes a wrong number of arguments a mistake of usage.
func checkArgs(cmd *cobra.Command) {
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usagef("%w; see %s --help", err, cmd.CommandPath())
		}
		return nil
	}
}

// Report prints an error as a person should see it and returns the exit code.
func Report(w io.Writer, program string, err error) int {
	if err == nil {
		return 0
	}
	w = terminal.NewPlain(w)
	var usage UsageError
	var about *packageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintf(w, "%s: %v\n", program, err)
		return 2
	case errors.As(err, &about):
		fmt.Fprintf(w, "*** %s: %s\n", about.file, explain(about.err))
		return 1
	}
	fmt.Fprintf(w, "%s: %s\n", program, explain(err))
	return sandstorm.KindOf(err).ExitCode()
}

// packageError is what is wrong with a package: scripts know its form.
type packageError struct {
	file string
	err  error
}

func (e *packageError) Error() string { return e.file + ": " + e.err.Error() }
func (e *packageError) Unwrap() error { return e.err }

// explain says what went wrong in words, with the details behind.
func explain(err error) string {
	var known *sandstorm.Error
	if !errors.As(err, &known) || known.Key == "" {
		return err.Error()
	}
	catalogue, lerr := locale.Load()
	if lerr != nil {
		return err.Error()
	}
	return catalogue.Reference().Error(known) + " (" + err.Error() + ")"
}
