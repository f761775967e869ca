package spktool

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/rootfs"
	"github.com/sandstorm-go/sandstorm/internal/scaffold"
)

// initializer is the command `spk init`.
type initializer struct {
	keys       keys
	output     string
	appID      string
	port       int
	raw        bool
	sources    []string
	includeAll bool
	from       []string
}

// definitionFile is where a definition is written, unless told otherwise.
const definitionFile = "sandstorm-pkgdef.capnp"

func newInit() *cobra.Command {
	var in initializer
	cmd := &cobra.Command{
		Use:   "init [-p PORT|-r -- COMMAND…]",
		Short: "Write a package definition for the app in this folder",
		Long: "Write sandstorm-pkgdef.capnp, with a new app id whose key goes to the keyring.\n\n" +
			"Without a command the folder is looked at: Node, Python, PHP, Go and Ruby apps and\n" +
			"static sites are recognised, and the definition is short and says what to check.\n" +
			"With --from the command comes from an OCI image.\n\n" +
			"With a command it must be said how it speaks: -p PORT for HTTP on that port, or -r for\n" +
			"Sandstorm's own Cap'n Proto API.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return in.run(cmd, args) },
	}
	f := cmd.Flags()
	f.StringVarP(&in.output, "output", "o", "", "the file to write instead of "+definitionFile+"; - is standard output")
	f.StringVarP(&in.appID, "app-id", "i", "", "the app's id, instead of a new one")
	f.IntVarP(&in.port, "port", "p", 0, "the port that the command listens on, 1024 to 65535")
	f.BoolVarP(&in.raw, "raw", "r", false, "the command speaks Sandstorm's own API, without the HTTP bridge")
	f.StringArrayVarP(&in.sources, "source-path", "I", nil, "a directory that files come from, instead of this one and the whole system; may be repeated")
	f.BoolVarP(&in.includeAll, "include-all", "A", false, "pack everything in the directories of -I")
	f.StringArrayVar(&in.from, "from", nil, "take the command from an image: oci:DIR[:TAG]")
	cmd.MarkFlagsMutuallyExclusive("port", "raw")
	in.keys.writeFlags(cmd)
	return cmd
}

func (in *initializer) run(cmd *cobra.Command, command []string) error {
	if err := in.check(cmd, command); err != nil {
		return err
	}
	if in.output == "" {
		in.output = definitionFile
		if _, err := os.Lstat(in.output); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s exists already; -o FILE writes another one", in.output)
		}
	}
	var found *scaffold.Found
	if len(command) == 0 {
		var err error
		if found, err = in.look(cmd); err != nil {
			return err
		}
		if err := in.checkLauncher(found); err != nil {
			return err
		}
	}
	// The key comes last: a failure should not leave one that nothing needs.
	id, err := in.id(cmd)
	if err != nil {
		return err
	}
	if found != nil {
		return in.writeFound(cmd, found, id)
	}
	return in.write(cmd, scaffold.Original(scaffold.OriginalOptions{
		AppID: string(id), FileID: fileID(), Command: command, Port: in.port, SourcePaths: in.sources, IncludeAll: in.includeAll,
	}))
}

func (in *initializer) check(cmd *cobra.Command, command []string) error {
	port := cmd.Flags().Changed("port")
	switch {
	case port && in.port >= 1 && in.port < 1024:
		return usagef("ports below 1024 are privileged: an app cannot listen there")
	case port && (in.port < 1024 || in.port > 65535):
		return usagef("--port %d: ports are 1024 to 65535", in.port)
	case in.includeAll && len(in.sources) == 0:
		return usagef("with -A say with -I which directories to include")
	case len(command) > 0 && len(in.from) > 0:
		return usagef("name a command, or an image to take it from, but not both")
	case len(command) > 0 && !port && !in.raw:
		return usagef("say with -p PORT on which port the command listens, or with -r that it speaks Sandstorm's own API")
	case len(command) == 0 && (in.raw || in.includeAll || len(in.sources) > 0):
		return usagef("name the command that starts the app, behind --")
	}
	return nil
}

// look finds out how the app is started.
func (in *initializer) look(cmd *cobra.Command) (*scaffold.Found, error) {
	found, err := scaffold.Look(".")
	if err != nil {
		return nil, err
	}
	for _, spec := range in.from {
		if found, err = in.lookAtImage(cmd, spec, found); err != nil {
			return nil, err
		}
	}
	if in.port != 0 {
		found.SetPort(in.port)
	}
	return found, nil
}

// lookAtImage takes the command of an image, and the name of the folder.
func (in *initializer) lookAtImage(cmd *cobra.Command, spec string, folder *scaffold.Found) (*scaffold.Found, error) {
	dir, err := os.MkdirTemp("", "spk-root.")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	image, err := unpackImage(cmd, spec, dir, rootfs.Options{})
	if err != nil {
		return nil, err
	}
	if len(image.Argv) == 0 {
		return nil, fmt.Errorf("%s does not say what to run: name the command behind --", spec)
	}
	return scaffold.FromImage(scaffold.ImageOptions{
		Title: folder.Title, Version: folder.Version, Source: spec, Argv: image.Argv, Env: image.Env,
		WorkDir: image.WorkDir, VarDir: image.VarDir, Ports: image.Ports, Volumes: image.Volumes,
	}), nil
}

func (in *initializer) id(cmd *cobra.Command) (sandstorm.AppID, error) {
	if in.appID == "" {
		return in.keys.generate(cmd)
	}
	id, err := sandstorm.ParseAppID(in.appID)
	if err != nil {
		return "", usagef("--app-id: %w", err)
	}
	return id, nil
}

// fileID is a random id of a Cap'n Proto file: its top bit is set.
func fileID() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:]) | 1<<63
}
