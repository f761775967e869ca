package spktool

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandstorm-go/sandstorm/internal/bridgeprogram"
	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
)

// definition is how a command finds the package definition.
type definition struct {
	spec       string
	importPath []string
	from       []string
}

func (d *definition) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&d.spec, "pkg-def", "p", pkgdef.Default, "the package definition, as FILE:NAME")
	cmd.Flags().StringArrayVarP(&d.importPath, "import-path", "I", nil, "a directory for imports that start with a slash; may be repeated")
}

func (d *definition) fromFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&d.from, "from", nil, "take files from an image as well: oci:DIR[:TAG] or deb:LIST; may be repeated")
}

func (d *definition) options() pkgdef.Options { return pkgdef.Options{ImportPath: d.importPath} }

// project is a definition with all that belongs to it.
type project struct {
	*pkgdef.Definition
	tree *pkgdef.Tree
	from bool // files come from an image as well
}

// open loads the definition and unpacks the images that --from names. release
// removes what was unpacked. The keyring is not shown, wherever it lies.
func (d *definition) open(cmd *cobra.Command, keys *keys) (p *project, release func(), err error) {
	def, err := pkgdef.Load(d.spec, d.options())
	if err != nil {
		return nil, nil, err
	}
	for _, w := range def.Warnings {
		warn(cmd.ErrOrStderr(), "%s", w)
	}
	opts := pkgdef.TreeOptions{}
	opts.Keyring, _ = keys.file() // if there is one
	if opts.Bridge, err = bridgeprogram.Program(); err != nil && def.WantsBridge {
		return nil, nil, err
	}
	opts.Add, release, err = unpackImages(cmd, d.from)
	if err != nil {
		return nil, nil, err
	}
	return &project{Definition: def, tree: def.Tree(opts), from: len(d.from) > 0}, release, nil
}

// warn says what may not be what the packager wants.
func warn(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, "** WARNING: "+format+"\n", args...)
}

// sourceDate is the latest time that files in a package may bear, by the
// convention of reproducible builds; the zero time if nobody says.
func sourceDate() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<33 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q, which is not a number of seconds since 1970", text)
	}
	return time.Unix(seconds, 0), nil
}
