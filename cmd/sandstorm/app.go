package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/control"
)

func newAppCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "app", Short: "Install and list apps", Args: cobra.NoArgs, RunE: needsSubcommand}
	cmd.AddCommand(newAppInstallCommand(), newAppListCommand())
	return cmd
}

func newAppInstallCommand() *cobra.Command {
	var at server
	var out output
	cmd := &cobra.Command{
		Use:   "install FILE.spk|URL",
		Short: "Install an app for everybody on the server",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := at.client()
			if err != nil {
				return err
			}
			app, err := install(cmd.Context(), client, args[0])
			if err != nil {
				return err
			}
			return out.print(cmd.OutOrStdout(), app, func(w io.Writer) {
				fmt.Fprintf(w, "Installed %s %s\napp %s\npackage %s\n", app.Title, app.Version, app.AppID, app.PackageID)
			})
		},
	}
	at.flags(cmd)
	out.flag(cmd)
	return cmd
}

// install takes a file, "-" for standard input, or an http or https address,
// which the server fetches by itself.
func install(ctx context.Context, client *control.Client, from string) (control.App, error) {
	if strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://") {
		return client.InstallURL(ctx, from)
	}
	if from == "-" {
		return client.InstallFile(ctx, os.Stdin)
	}
	f, err := os.Open(from)
	if err != nil {
		return control.App{}, err
	}
	defer f.Close()
	return client.InstallFile(ctx, f)
}

func newAppListCommand() *cobra.Command {
	var at server
	var out output
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the installed apps",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := at.client()
			if err != nil {
				return err
			}
			apps, err := client.Apps(cmd.Context())
			if err != nil {
				return err
			}
			return out.print(cmd.OutOrStdout(), apps, func(w io.Writer) {
				rows := make([][]string, 0, len(apps))
				for _, a := range apps {
					rows = append(rows, []string{string(a.AppID), a.Title, a.Version, string(a.PackageID)})
				}
				table(w, []string{"APP", "TITLE", "VERSION", "PACKAGE"}, rows)
			})
		},
	}
	at.flags(cmd)
	out.flag(cmd)
	return cmd
}
