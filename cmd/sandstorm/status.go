package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newStatusCommand() *cobra.Command {
	var at server
	var out output
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how a server is doing",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := at.client()
			if err != nil {
				return err
			}
			st, err := client.Status(cmd.Context())
			if err != nil {
				return err
			}
			return out.print(cmd.OutOrStdout(), st, func(w io.Writer) {
				fmt.Fprintf(w, "sandstorm %s at %s (process %d, %s)\n", st.Version, st.BaseURL, st.PID, st.Store)
				if st.Host != nil {
					fmt.Fprintf(w, "host process %d, tier %s, Linux %s\n", st.Host.PID, st.Host.Tier, st.Host.Kernel)
				}
				if st.Warning != "" {
					fmt.Fprintf(w, "the host process does not answer: %s\n", st.Warning)
				}
				fmt.Fprintf(w, "%d grains running\n", len(st.Running))
			})
		},
	}
	at.flags(cmd)
	out.flag(cmd)
	return cmd
}
