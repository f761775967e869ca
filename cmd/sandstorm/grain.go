package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/control"
	"github.com/sandstorm-go/sandstorm/internal/terminal"
)

func newGrainCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "grain", Short: "Make, open, stop and delete grains", Args: cobra.NoArgs, RunE: needsSubcommand}
	cmd.AddCommand(
		newGrainListCommand(), newGrainCreateCommand(), newGrainOpenCommand(), newGrainLogCommand(),
		newGrainVerb("start", "Start a grain", (*control.Client).StartGrain),
		newGrainVerb("stop", "Stop a grain; the next visit starts it again", (*control.Client).StopGrain),
		newGrainVerb("delete", "Delete a grain with all its data, at once and for good", (*control.Client).DeleteGrain),
	)
	return cmd
}

// newGrainVerb is a command that does one thing to one grain.
func newGrainVerb(verb, short string, do func(*control.Client, context.Context, string) error) *cobra.Command {
	var at server
	cmd := &cobra.Command{
		Use:   verb + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := at.client()
			if err != nil {
				return err
			}
			return do(client, cmd.Context(), args[0])
		},
	}
	at.flags(cmd)
	return cmd
}

func newGrainListCommand() *cobra.Command {
	var at server
	var out output
	var user string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List grains",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := at.client()
			if err != nil {
				return err
			}
			grains, err := client.Grains(cmd.Context(), user)
			if err != nil {
				return err
			}
			return out.print(cmd.OutOrStdout(), grains, func(w io.Writer) {
				rows := make([][]string, 0, len(grains))
				for _, g := range grains {
					rows = append(rows, []string{string(g.ID), g.Owner, grainState(g), g.LastUsed.Format("2006-01-02 15:04"), g.Title})
				}
				table(w, []string{"ID", "OWNER", "STATE", "LAST USED", "TITLE"}, rows)
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "only grains of this user")
	at.flags(cmd)
	out.flag(cmd)
	return cmd
}

func grainState(g control.Grain) string {
	switch {
	case g.Trashed:
		return "trash"
	case g.Running:
		return "running"
	default:
		return "stopped"
	}
}

func newGrainCreateCommand() *cobra.Command {
	var at server
	var out output
	var app, user, title string
	var action int
	cmd := &cobra.Command{
		Use:   "create --app APPID --user NAME",
		Short: "Make a grain of an app",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := at.client()
			if err != nil {
				return err
			}
			g, err := client.CreateGrain(cmd.Context(), app, action, user, title)
			if err != nil {
				return err
			}
			return out.print(cmd.OutOrStdout(), g, func(w io.Writer) { fmt.Fprintln(w, g.ID) })
		},
	}
	cmd.Flags().StringVar(&app, "app", "", "the app's id (required)")
	cmd.Flags().StringVar(&user, "user", "", "the owner: handle, name, address or id (required)")
	cmd.Flags().IntVar(&action, "action", 0, "which of the app's actions makes it, from 0")
	cmd.Flags().StringVar(&title, "title", "", "the grain's title")
	requireFlags(cmd, "app", "user")
	at.flags(cmd)
	out.flag(cmd)
	return cmd
}

func newGrainOpenCommand() *cobra.Command {
	var at server
	var out output
	var user, path string
	cmd := &cobra.Command{
		Use:   "open ID --user NAME",
		Short: "Mint a session of a grain and print the address of its frame",
		Long: "Mint a session of a grain for a user and print the address of its frame.\n" +
			"Whoever has the address is in the grain as that user until the session ends.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := at.client()
			if err != nil {
				return err
			}
			s, err := client.OpenGrain(cmd.Context(), args[0], user, path)
			if err != nil {
				return err
			}
			return out.print(cmd.OutOrStdout(), s, func(w io.Writer) { fmt.Fprintln(w, s.URL) })
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "who opens it: handle, name, address or id (required)")
	cmd.Flags().StringVar(&path, "path", "/", "the path inside the grain")
	requireFlags(cmd, "user")
	at.flags(cmd)
	out.flag(cmd)
	return cmd
}

func newGrainLogCommand() *cobra.Command {
	var at server
	var follow bool
	var backlog int64
	cmd := &cobra.Command{
		Use:   "log ID",
		Short: "Print the end of a grain's log",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := at.client()
			if err != nil {
				return err
			}
			log, err := client.GrainLog(cmd.Context(), args[0], backlog, follow)
			if err != nil {
				return err
			}
			defer log.Close()
			var w io.Writer = cmd.OutOrStdout()
			if isTerminal(os.Stdout) { // into a file goes every byte as it is
				w = terminal.NewPlain(w)
			}
			_, err = io.Copy(w, log)
			if cmd.Context().Err() != nil {
				return nil // Ctrl-C is how one stops following
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on as the log grows")
	cmd.Flags().Int64Var(&backlog, "bytes", 8192, "how much of the end to print")
	at.flags(cmd)
	return cmd
}
