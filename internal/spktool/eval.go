package spktool

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
	"github.com/sandstorm-go/sandstorm/schema"
)

func newEval() *cobra.Command {
	var def definition
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Print the package definition as JSON",
		Long: "Evaluate the package definition, or any other constant in a Cap'n Proto file, and print\n" +
			"it as JSON, as “capnp eval --output=json” does. No other tool is needed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			value, err := pkgdef.Evaluate(def.spec, def.options())
			if err != nil {
				return err
			}
			text, err := value.JSON()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	def.flags(cmd)
	return cmd
}

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [NAME]",
		Short: "Print the schemas that definitions import",
		Long: "List the schemas that package definitions import as \"/sandstorm/NAME.capnp\", or print one\n" +
			"of them: package.capnp says all that a definition may contain.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			names, err := fs.Glob(schema.Files, "sandstorm/*.capnp")
			if err != nil {
				return err
			}
			for _, name := range names {
				base := strings.TrimSuffix(path.Base(name), ".capnp")
				if len(args) == 0 {
					fmt.Fprintln(cmd.OutOrStdout(), base)
				} else if strings.TrimSuffix(path.Base(args[0]), ".capnp") == base {
					text, err := fs.ReadFile(schema.Files, name)
					if err == nil {
						_, err = cmd.OutOrStdout().Write(text)
					}
					return err
				}
			}
			if len(args) > 0 {
				return usagef("there is no schema %q; “spk schema” lists them", args[0])
			}
			return nil
		},
	}
}
