package spktool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/spk"
)

func newUnpack() *cobra.Command {
	return &cobra.Command{
		Use:   "unpack FILE.spk|- [DIR]",
		Short: "Check a package and unpack it",
		Long: "Check a package's signature and unpack it to DIR, which must not exist; without DIR, to\n" +
			"the file's name without .spk. Prints the app id.",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := unpackDir(args)
			if err != nil {
				return err
			}
			src, read, err := openPackage(cmd.Context(), args[0], cmd.ErrOrStderr(), "Unpacking")
			if err != nil {
				return err
			}
			defer src.Close()
			info, err := spk.Unpack(cmd.Context(), src, dir, spk.OpenOptions{TempDir: filepath.Dir(dir), Progress: read})
			if err != nil {
				return &packageError{args[0], err}
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), info.AppID)
			return err
		},
	}
}

// unpackDir is where to unpack to.
func unpackDir(args []string) (string, error) {
	var dir string
	switch name, ok := strings.CutSuffix(args[0], ".spk"); {
	case len(args) == 2:
		dir = args[1]
	case ok && filepath.Base(args[0]) != ".spk":
		dir = name
	default:
		return "", usagef("%s is not NAME.spk: say which directory to unpack to", args[0])
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s exists already; name a directory that does not", dir)
	}
	return dir, nil
}
