package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/config"
	"github.com/sandstorm-go/sandstorm/internal/terminal"
)

func newDevCommand() *cobra.Command {
	var data string
	var port int
	var packages []string
	var verbose bool
	cmd := &cobra.Command{
		Use:   "dev [--data DIR] [--port N]",
		Short: "Run a server to try things with",
		Long: "Run a server to try things with: no configuration, plain HTTP on this machine only,\n" +
			"and anybody may sign in as anybody. Ctrl-C ends it together with its grains; if it is\n" +
			"killed, they go on and the next one takes them over.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Dev(data, port)
			if err != nil {
				return err
			}
			level := slog.LevelWarn
			if verbose {
				level = slog.LevelDebug
			}
			files, err := openPackages(packages)
			defer closeFiles(files)
			if err != nil {
				return err
			}
			return runDev(cmd, cfg, newLogger(level), files)
		},
	}
	cmd.Flags().StringVar(&data, "data", "var", "where everything is kept")
	cmd.Flags().IntVar(&port, "port", 6080, "the port to listen on")
	cmd.Flags().StringArrayVar(&packages, "install", nil, "a .spk to install for everybody; may be repeated")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "log everything")
	return cmd
}

// openPackages opens the files now: once the server has given up its rights, it
// may not be able to.
func openPackages(paths []string) (files []*os.File, err error) {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	return files, nil
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

func runDev(cmd *cobra.Command, cfg *config.Config, log *slog.Logger, packages []*os.File) error {
	ctx := cmd.Context()
	p, err := open(ctx, cfg, log, options{dev: true})
	if err != nil {
		return err
	}
	defer p.close()
	for _, f := range packages {
		pkg, err := p.apps.InstallFile(ctx, f)
		if err != nil {
			return fmt.Errorf("install %s: %w", f.Name(), err)
		}
		fmt.Fprintf(terminal.NewPlain(os.Stderr), "Installed %s.\n", pkg.Manifest.AppTitle.Default)
	}
	done := make(chan error, 1)
	go func() { done <- p.run(ctx) }()
	// The address is data, on a line of its own; the rest is talk.
	fmt.Fprintln(cmd.OutOrStdout(), cfg.BaseURL)
	fmt.Fprintf(os.Stderr, "Open the address above and sign in as Alice (an administrator) or anyone.\n"+
		"Everything is kept in %s. Ctrl-C ends the server and its grains.\n", cfg.DataDir)
	err = <-done
	return errors.Join(err, p.stopHost())
}

// stopHost ends the host process with all grains, as one expects of Ctrl-C.
func (p *program) stopHost() error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := p.host.Shutdown(ctx, true); err != nil {
		return fmt.Errorf("the host process did not end: %w", err)
	}
	return nil
}
