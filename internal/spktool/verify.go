package spktool

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/spk"
)

func newVerify() *cobra.Command {
	var json, details bool
	cmd := &cobra.Command{
		Use:   "verify FILE.spk|-",
		Short: "Check a package and print what it says of itself",
		Long: "Check a package: its signature, everything in it, and the signature of its author if it\n" +
			"has one. Prints what it says of itself, in a form that looks like JSON but is not: scripts\n" +
			"of old depend on it. --json prints JSON.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, read, err := openPackage(cmd.Context(), args[0], cmd.ErrOrStderr(), "Verifying")
			if err != nil {
				return err
			}
			defer src.Close()
			v, err := spk.Describe(cmd.Context(), src, spk.OpenOptions{TempDir: tempDir(args[0]), Progress: read})
			if err != nil {
				return &packageError{args[0], err}
			}
			text := []byte(v.Text())
			if json {
				if text, err = v.JSON(details); err != nil {
					return err
				}
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print JSON; see docs/packaging.md for its members")
	cmd.Flags().BoolVarP(&details, "details", "d", false, "with --json print pictures and signatures whole; else of no effect, as details are always printed")
	return cmd
}

// tempDir is where there should be room for what a package unpacks to: beside
// it, or the system's directory if that cannot be written to.
func tempDir(file string) string {
	dir := filepath.Dir(file)
	if file == "-" {
		return ""
	}
	f, err := createFile(filepath.Join(dir, "spk"))
	if err != nil {
		return ""
	}
	f.discard()
	return dir
}
