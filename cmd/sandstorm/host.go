package main

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/host"
	hostserver "github.com/sandstorm-go/sandstorm/internal/host/server"
)

func newHostCommand() *cobra.Command {
	var at server
	var opts hostserver.Options
	cmd := &cobra.Command{
		Use:   "host",
		Short: "Run the process that keeps packages and runs grains",
		Long: "Run the process that keeps packages and runs grains. `serve` and `dev` start it\n" +
			"if none runs; a service manager may do so instead. It needs root, or unprivileged\n" +
			"user namespaces; see `sandstorm doctor`. When it ends, grains go on.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := at.dataDir()
			if err != nil {
				return err
			}
			if err := hostserver.Enter(dir); err != nil {
				return err
			}
			opts.DataDir = dir
			opts.Log = newLogger(slog.LevelInfo)
			return hostserver.Run(cmd.Context(), opts)
		},
	}
	at.flags(cmd)
	cmd.Flags().IntVar(&opts.ServerUID, "server-uid", 0, "the user id of `sandstorm serve`, if it is another than the host's")
	cmd.Flags().IntVar(&opts.ServerGID, "server-gid", 0, "its group id")
	return cmd
}

// hostOptions say how serve starts a host process for its data directory.
func hostOptions(dataDir string, id identity, log *slog.Logger) (host.Options, error) {
	exe, err := os.Executable()
	if err != nil {
		return host.Options{}, fmt.Errorf("find this program: %w", err)
	}
	args := []string{"host", "--data", dataDir}
	if os.Geteuid() == 0 && !id.confined {
		args = append(args, "--server-uid="+strconv.Itoa(id.uid), "--server-gid="+strconv.Itoa(id.gid))
	}
	return host.Options{Executable: exe, Args: args, DataDir: dataDir, Log: log}, nil
}
