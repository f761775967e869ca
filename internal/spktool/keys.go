package spktool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/keyring"
	"github.com/sandstorm-go/sandstorm/internal/terminal"
)

// keys is how a command finds the keyring.
type keys struct {
	path  string
	quiet bool
}

func (k *keys) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&k.path, "keyring", "k", "", "the file that holds your keys (default ~/.sandstorm-keyring)")
}

// writeFlags are for commands that add keys.
func (k *keys) writeFlags(cmd *cobra.Command) {
	k.flags(cmd)
	cmd.Flags().BoolVarP(&k.quiet, "quiet", "q", false, "do not remind of keeping a copy of the keyring")
}

// file is the keyring's path; one that was named must exist.
func (k *keys) file() (string, error) {
	if k.path == "" {
		return keyring.DefaultPath()
	}
	if _, err := os.Stat(k.path); err != nil {
		return "", fmt.Errorf("--keyring %s: not found: %w", k.path, err)
	}
	return k.path, nil
}

func (k *keys) open(cmd *cobra.Command) (*keyring.Keyring, error) {
	path, err := k.file()
	if err != nil {
		return nil, err
	}
	ring, err := keyring.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there are no keys yet; “spk keygen” or “spk init” makes one", path)
	}
	if err == nil {
		warnExposed(cmd, ring)
	}
	return ring, err
}

func warnExposed(cmd *cobra.Command, ring *keyring.Keyring) {
	if ring.Exposed() {
		warn(cmd.ErrOrStderr(), "others can read %s; “chmod 600” it", ring.Path())
	}
}

// generate makes a key and puts it on the keyring.
func (k *keys) generate(cmd *cobra.Command) (sandstorm.AppID, error) {
	path, err := k.file()
	if err != nil {
		return "", err
	}
	key, err := keyring.Generate()
	if err != nil {
		return "", err
	}
	if err := keyring.Add(path, key); err != nil {
		return "", err
	}
	if ring, err := keyring.Open(path); err == nil {
		warnExposed(cmd, ring)
	}
	if !k.quiet {
		warn(cmd.ErrOrStderr(), "a key was added to %s\n"+
			"** Keep a copy of that file in a safe place: without it you cannot update your app,\n"+
			"** and whoever has it can. (-q leaves this reminder out.)", path)
	}
	return key.AppID(), nil
}

func newKeygen() *cobra.Command {
	var k keys
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a signing key and print its app id",
		Long: "Make a signing key, add it to the keyring, and print the app id that it stands for.\n" +
			"`spk init` does so by itself; a key alone is for who takes an app over.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			id, err := k.generate(cmd)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), id)
			return err
		},
	}
	k.writeFlags(cmd)
	return cmd
}

func newListkeys() *cobra.Command {
	var k keys
	cmd := &cobra.Command{
		Use:   "listkeys",
		Short: "Print the app ids of the keys on the keyring",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ring, err := k.open(cmd)
			if err != nil {
				return err
			}
			for _, key := range ring.Keys() {
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), key.AppID()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	k.flags(cmd)
	return cmd
}

func newGetkey() *cobra.Command {
	var k keys
	cmd := &cobra.Command{
		Use:   "getkey APPID…",
		Short: "Write single keys of the keyring to standard output",
		Long: "Write the keys of these apps to standard output, as a keyring of its own. Somebody else\n" +
			"adds it to theirs with “cat FILE >> ~/.sandstorm-keyring”.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, ok := terminal.File(cmd.OutOrStdout()); ok {
				return usagef("keys are not text: send them to a file with “> FILE”")
			}
			ring, err := k.open(cmd)
			if err != nil {
				return err
			}
			var out []byte
			for _, arg := range args {
				id, err := sandstorm.ParseAppID(arg)
				if err != nil {
					return err
				}
				if by, old := keyring.Obsolete(id); old {
					warn(cmd.ErrOrStderr(), "the key of %s is obsolete; new packages are signed by %s", id, by)
				}
				key, err := ring.Literal(id)
				if err != nil {
					return err
				}
				message, err := key.Message()
				if err != nil {
					return err
				}
				out = append(out, message...)
			}
			_, err = binaryOutput(cmd).Write(out)
			return err
		},
	}
	k.flags(cmd)
	return cmd
}

// binaryOutput is standard output for what is no text.
func binaryOutput(cmd *cobra.Command) io.Writer {
	if p, ok := cmd.OutOrStdout().(*terminal.Plain); ok {
		return p.Unwrap()
	}
	return cmd.OutOrStdout()
}
