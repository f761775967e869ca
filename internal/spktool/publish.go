package spktool

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/appindex"
	"github.com/sandstorm-go/sandstorm/internal/spk"
)

// webkeyVariable names the index if --webkey does not. There is no default:
// nobody shall publish by accident, or to whom they did not choose.
const webkeyVariable = "SPK_INDEX_WEBKEY"

// publisher is the command `spk publish`.
type publisher struct {
	keys                    keys
	webkey                  string
	status, embargo, remove bool
}

func newPublish() *cobra.Command {
	var p publisher
	cmd := &cobra.Command{
		Use:   "publish FILE.spk",
		Short: "Submit a package to an app index, or ask what became of it",
		Long: "Submit a package to an app index, which lists it once it has been reviewed. It is sent\n" +
			"only if the index does not have it yet. The index is named by its webkey, with --webkey\n" +
			"or in " + webkeyVariable + "; there is no default.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return p.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&p.webkey, "webkey", "", "the index: https://HOST/PATH#TOKEN")
	f.BoolVarP(&p.status, "status", "s", false, "only ask what became of the package")
	f.BoolVarP(&p.embargo, "embargo", "e", false, "have it reviewed, but not listed before you publish it again without -e")
	f.BoolVarP(&p.remove, "remove", "r", false, "take it off the list, or take the submission back")
	cmd.MarkFlagsMutuallyExclusive("status", "embargo", "remove")
	p.keys.flags(cmd)
	return cmd
}

func (p *publisher) run(cmd *cobra.Command, file string) error {
	index, err := p.index(cmd)
	if err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	v, err := spk.Describe(cmd.Context(), f, spk.OpenOptions{TempDir: tempDir(file)})
	if err != nil {
		return &packageError{file, err}
	}
	ring, err := p.keys.open(cmd)
	if err != nil {
		return err
	}
	key, err := ring.Signing(v.AppID)
	if err != nil {
		return err
	}
	var status *appindex.Status
	if p.status {
		status, err = index.Status(cmd.Context(), key.Private(), v.PackageID)
	} else {
		bar := newProgress(cmd.ErrOrStderr(), "Uploading", info.Size())
		index.Progress = bar.at
		status, err = index.Submit(cmd.Context(), key.Private(), v.PackageID, p.state(), f)
		bar.done()
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), status.Explain())
	return err
}

// index is the client of the index that the packager named.
func (p *publisher) index(cmd *cobra.Command) (*appindex.Client, error) {
	text := p.webkey
	if text == "" {
		text = os.Getenv(webkeyVariable)
	}
	if text == "" {
		return nil, usagef("say with --webkey https://HOST#TOKEN or in %s which index to publish to", webkeyVariable)
	}
	webkey, err := appindex.ParseWebkey(text)
	if err != nil {
		return nil, UsageError{err}
	}
	if webkey.Plain() {
		warn(cmd.ErrOrStderr(), "%s is not encrypted: whoever listens learns the token", webkey.URL())
	}
	return &appindex.Client{Webkey: webkey}, nil
}

func (p *publisher) state() appindex.State {
	switch {
	case p.remove:
		return appindex.Ignore
	case p.embargo:
		return appindex.Review
	}
	return appindex.Publish
}
