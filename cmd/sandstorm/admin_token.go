package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/config"
	"github.com/sandstorm-go/sandstorm/internal/setup"
)

// adminToken is what `admin-token --json` prints.
type adminToken struct {
	Token string `json:"token"`
	URL   string `json:"url,omitempty"`
}

func newAdminTokenCommand() *cobra.Command {
	var at server
	var out output
	var quiet bool
	cmd := &cobra.Command{
		Use:   "admin-token",
		Short: "Print an address that leads to the set-up",
		Long: "Print an address that lets its visitor set the server up, or become an administrator\n" +
			"again after a lock-out. It is good for an hour and for one visit.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := at.dataDir()
			if err != nil {
				return err
			}
			token, err := setup.NewToken(dir)
			if err != nil {
				return err
			}
			t := adminToken{Token: token.Reveal()}
			if base := at.baseURL(cmd); base != "" {
				t.URL = base + "/setup/token/" + t.Token
			}
			return out.print(cmd.OutOrStdout(), t, func(w io.Writer) {
				switch {
				case quiet:
					fmt.Fprintln(w, t.Token)
				case t.URL == "":
					fmt.Fprintf(w, "%s\nThe server does not run. Once it does, open /setup/token/TOKEN there.\n", t.Token)
				default:
					fmt.Fprintf(w, "Open this address within an hour to set the server up:\n%s\n", t.URL)
				}
			})
		},
	}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print only the token")
	at.flags(cmd)
	out.flag(cmd)
	return cmd
}

// baseURL is the server's address: from the configuration, else from the
// running server; empty if neither says it.
func (s *server) baseURL(cmd *cobra.Command) string {
	if s.data == "" {
		file := s.config
		if file == "" {
			file = config.DefaultFile
		}
		if cfg, err := config.Load(file); err == nil {
			return cfg.BaseURL
		}
	}
	client, err := s.client()
	if err != nil {
		return ""
	}
	st, err := client.Status(cmd.Context())
	if err != nil {
		return ""
	}
	return st.BaseURL
}
