package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/config"
	"github.com/sandstorm-go/sandstorm/internal/control"
)

// server is how a command finds the server that it speaks to.
type server struct {
	config string
	data   string
}

func (s *server) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.config, "config", "", "the server's configuration file (default "+config.DefaultFile+")")
	cmd.Flags().StringVar(&s.data, "data", "", "the server's data directory")
	cmd.MarkFlagsMutuallyExclusive("config", "data")
}

// dataDir is the server's data directory.
func (s *server) dataDir() (string, error) {
	if s.data != "" {
		return filepath.Abs(s.data)
	}
	file := s.config
	if file == "" {
		file = config.DefaultFile
	}
	cfg, err := config.Load(file)
	if err != nil {
		return "", err
	}
	return cfg.DataDir, nil
}

func (s *server) client() (*control.Client, error) {
	dir, err := s.dataDir()
	if err != nil {
		return nil, err
	}
	return control.NewClient(adminSocket(dir)), nil
}

// adminSocket is where a server with this data directory listens for commands.
func adminSocket(dataDir string) string { return filepath.Join(dataDir, "socket", "admin") }

func needsSubcommand(cmd *cobra.Command, _ []string) error {
	return usageError{fmt.Errorf("%s needs one of its commands; see %[1]s --help", cmd.CommandPath())}
}

// requireFlags makes a missing flag a mistake of usage that names it.
func requireFlags(cmd *cobra.Command, names ...string) {
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range names {
			if !cmd.Flags().Changed(name) {
				return usageError{fmt.Errorf("%s needs --%s", cmd.CommandPath(), name)}
			}
		}
		return nil
	}
}
