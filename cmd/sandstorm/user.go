package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm"
)

func newUserCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "List and create accounts", Args: cobra.NoArgs, RunE: needsSubcommand}
	cmd.AddCommand(newUserListCommand(), newUserCreateCommand())
	return cmd
}

func newUserListCommand() *cobra.Command {
	var at server
	var out output
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := at.client()
			if err != nil {
				return err
			}
			users, err := client.Users(cmd.Context())
			if err != nil {
				return err
			}
			return out.print(cmd.OutOrStdout(), users, func(w io.Writer) {
				rows := make([][]string, 0, len(users))
				for _, u := range users {
					rows = append(rows, []string{string(u.ID), u.Handle, u.Name, string(u.Role)})
				}
				table(w, []string{"ID", "HANDLE", "NAME", "ROLE"}, rows)
			})
		},
	}
	at.flags(cmd)
	out.flag(cmd)
	return cmd
}

func newUserCreateCommand() *cobra.Command {
	var at server
	var out output
	var email string
	var admin, visitor bool
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create an account",
		Long: "Create an account. With --email the person signs in by a code mailed to that address;\n" +
			"without it the account is a development account, where the server allows these.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := at.client()
			if err != nil {
				return err
			}
			role := sandstorm.RoleUser
			switch {
			case admin:
				role = sandstorm.RoleAdmin
			case visitor:
				role = sandstorm.RoleVisitor
			}
			u, err := client.CreateUser(cmd.Context(), args[0], email, role)
			if err != nil {
				return err
			}
			return out.print(cmd.OutOrStdout(), u, func(w io.Writer) {
				fmt.Fprintf(w, "Created %s (handle %s, role %s)\n%s\n", u.Name, u.Handle, u.Role, u.ID)
			})
		},
	}
	cmd.Flags().StringVar(&email, "email", "", "the address that the person signs in with")
	cmd.Flags().BoolVar(&admin, "admin", false, "the account may administer the server")
	cmd.Flags().BoolVar(&visitor, "visitor", false, "the account may only open what is shared with it")
	cmd.MarkFlagsMutuallyExclusive("admin", "visitor")
	at.flags(cmd)
	out.flag(cmd)
	return cmd
}
