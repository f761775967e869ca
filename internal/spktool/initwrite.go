package spktool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/scaffold"
)

// writeFound writes a short definition, the launcher if there is one, and says
// what was found.
func (in *initializer) writeFound(cmd *cobra.Command, found *scaffold.Found, id sandstorm.AppID) error {
	talk := cmd.ErrOrStderr()
	launcher := in.launcher(found)
	if launcher != "" {
		if err := writeLauncher(launcher, found.Setup); err != nil {
			return err
		}
	}
	if err := in.write(cmd, scaffold.Definition(found, string(id), fileID())); err != nil {
		if launcher != "" {
			err = errors.Join(err, os.Remove(launcher))
		}
		return err
	}
	if launcher != "" {
		fmt.Fprintln(talk, "wrote:", launcher)
	}
	fmt.Fprintf(talk, "Found: %s, a %s app, started with %s\n", found.Title, found.Kind, strings.Join(found.Command, " "))
	for _, note := range found.Notes {
		fmt.Fprintln(talk, "-", note)
	}
	fmt.Fprintln(talk, "Next: read the file, then run “spk dev” and open the app.")
	return nil
}

// launcher is where the launcher goes; empty if there is none.
func (in *initializer) launcher(found *scaffold.Found) string {
	if found.Setup == "" || in.output == "-" {
		return ""
	}
	return filepath.Join(filepath.Dir(in.output), scaffold.LauncherName)
}

// checkLauncher refuses to write over a launcher of the packager's.
func (in *initializer) checkLauncher(found *scaffold.Found) error {
	launcher := in.launcher(found)
	if launcher == "" {
		return nil
	}
	if _, err := os.Lstat(launcher); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s exists already, and this would write it anew: move it away, or name the command behind --", launcher)
	}
	return nil
}

// writeLauncher makes a new script; after an error there is none.
func writeLauncher(path, script string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o777)
	if err != nil {
		return fmt.Errorf("write the launcher: %w", err)
	}
	_, err = f.WriteString(script)
	if err = errors.Join(err, f.Close()); err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

func (in *initializer) write(cmd *cobra.Command, text string) error {
	if in.output == "-" {
		_, err := fmt.Fprint(cmd.OutOrStdout(), text)
		return err
	}
	f, err := createFile(in.output)
	if err != nil {
		return err
	}
	defer f.discard()
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	if err := f.commit(); err != nil {
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "wrote:", in.output)
	return nil
}
