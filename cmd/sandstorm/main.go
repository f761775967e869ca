// Command sandstorm runs a server and administers it.
//
// Standard output is data, standard error is talk. Exit codes: 0 done,
// 1 failure, 2 wrong usage, 3 not found, 4 denied.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/control"
	"github.com/sandstorm-go/sandstorm/internal/spktool"
	"github.com/sandstorm-go/sandstorm/internal/terminal"
	"github.com/sandstorm-go/sandstorm/internal/trial"
)

func main() {
	if trial.Main() { // this process is the host of a trial of `spk pack`
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRootCommand().ExecuteContext(ctx)
	stop()
	os.Exit(exitCode(err))
}

// usageError marks mistakes in the command line itself.
type usageError struct{ error }

const (
	exitFailure = 1
	exitUsage   = 2
)

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if spktool.Owns(err) {
		return spktool.Report(os.Stderr, "spk", err)
	}
	fmt.Fprintln(terminal.NewPlain(os.Stderr), "sandstorm:", err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	var remote *control.Error
	if errors.As(err, &remote) {
		return remote.Kind.ExitCode()
	}
	var local *sandstorm.Error
	if errors.As(err, &local) {
		return local.Kind.ExitCode()
	}
	return exitFailure
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "sandstorm",
		Short: "Run web apps on a server of your own, each document in its own sandbox",
		Long: "Run web apps on a server of your own, each document in its own sandbox.\n\n" +
			"sandstorm dev starts a server to try things with; sandstorm serve runs one for real.\n" +
			"The other commands speak to a running server: name it with --config or --data.",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		// An unknown command is a mistake of usage, not a reason for help and exit 0.
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q; see sandstorm --help", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		newServeCommand(), newHostCommand(), newDevCommand(),
		newAdminTokenCommand(), newStatusCommand(), newDoctorCommand(),
		newAppCommand(), newGrainCommand(), newUserCommand(),
		spktool.New(version()),
	)
	for _, group := range root.Commands() {
		usageArgs(group)
	}
	return root
}

// usageArgs makes wrong arguments of a command and its children exit with 2.
func usageArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		usageArgs(child)
	}
}
