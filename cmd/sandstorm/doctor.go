package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/sandbox"
)

// diagnosis is what doctor prints.
type diagnosis struct {
	OK       bool           `json:"ok"`   // grains can run
	Tier     string         `json:"tier"` // "root" or "userns"
	Features []host.Feature `json:"features"`
}

func newDoctorCommand() *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine gives the sandbox, and what would help",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := diagnosis{OK: true, Tier: "root", Features: sandbox.Features()}
			if sandbox.NeedsUserNamespace() {
				d.Tier = "userns"
			}
			for _, f := range d.Features {
				d.OK = d.OK && (f.OK || !f.Needed)
			}
			if err := out.print(cmd.OutOrStdout(), d, d.text); err != nil {
				return err
			}
			if !d.OK {
				return errors.New("grains cannot run on this machine yet; see the remedies above")
			}
			return nil
		},
	}
	out.flag(cmd)
	return cmd
}

func (d diagnosis) text(w io.Writer) {
	fmt.Fprintf(w, "tier: %s\n", d.Tier)
	for _, f := range d.Features {
		state := "yes"
		switch {
		case !f.OK && f.Needed:
			state = "MISSING"
		case !f.OK:
			state = "no"
		}
		fmt.Fprintf(w, "%-8s %s\n", state, f.Name)
		if f.Remedy != "" {
			fmt.Fprintf(w, "         %s\n", f.Remedy)
		}
	}
}
