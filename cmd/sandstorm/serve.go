package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/config"
)

func newServeCommand() *cobra.Command {
	var file string
	var discardSecrets bool
	cmd := &cobra.Command{
		Use:   "serve [--config FILE]",
		Short: "Run a server as its configuration file says",
		Long: "Run a server as its configuration file says. It starts a host process if none runs,\n" +
			"and leaves it and the grains running when it ends. Started by root, it opens its\n" +
			"ports and then becomes SERVER_USER.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(file)
			if err != nil {
				return err
			}
			log := newLogger(slog.LevelInfo)
			for _, warning := range cfg.Warnings {
				log.Warn(warning, "file", file)
			}
			p, err := open(cmd.Context(), cfg, log, options{discardSecrets: discardSecrets})
			if err != nil {
				return err
			}
			defer p.close()
			log.Info("serving", "url", cfg.BaseURL)
			return p.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&discardSecrets, "discard-secrets", false, "go on without the stored secrets, such as the mail password, after the host key was lost")
	cmd.Flags().StringVar(&file, "config", config.DefaultFile, "the configuration file")
	return cmd
}
