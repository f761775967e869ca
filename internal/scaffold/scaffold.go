// Package scaffold writes package definitions for those who begin: it looks at
// a source tree, finds out how the app is started, and writes a short, commented
// sandstorm-pkgdef.capnp. It also writes the long form that the original
// `spk init` wrote (packages.md §9).
//
// Source trees are foreign: only small regular files with known names are read,
// nothing is executed, and what is read from them reaches the definition only
// as escaped Cap'n Proto text or on comment lines.
package scaffold

// Kinds of source trees that Look tells apart.
const (
	Node    = "node"
	Python  = "python"
	PHP     = "php"
	Go      = "go"
	Ruby    = "ruby"
	Static  = "static"
	Generic = "generic"
)

// Found is what Look found out about a source tree.
type Found struct {
	Kind    string
	Title   string // for people; never empty
	Version string // as the app's author writes it, e.g. "1.4.2"; never empty
	// Command starts the app behind the HTTP bridge, without the bridge itself.
	// Programs have their absolute path on this machine, so that they can be
	// traced; files of the app are below /opt/app.
	Command []string
	Port    int         // that the app listens on, on 127.0.0.1
	Environ [][2]string // besides PATH and SANDSTORM
	Sources []Mapping   // of the source map, in order
	Include []string    // alwaysInclude
	Notes   []string    // what the packager has to check, one sentence or more each
	License string      // an enumerant of OpenSourceLicense, or empty if not known
	Website string      // http(s) address, or empty
	// Setup is the content of a launcher script for the grain, or empty if none
	// is needed. Whoever writes the definition writes it next to it, under the
	// name LauncherName, executable.
	Setup string

	marked *template // to change the port in
}

// LauncherName is the launcher script's file, next to the definition.
const LauncherName = "sandstorm-launcher.sh"

// Mapping is an entry of a source map: PackagePath is relative to the package's
// root, SourcePath to the definition, HidePaths to SourcePath.
type Mapping struct {
	PackagePath string
	SourcePath  string
	HidePaths   []string
}

// OriginalOptions are those of `spk init -- CMD`.
type OriginalOptions struct {
	AppID       string
	FileID      uint64 // the Cap'n Proto id of the file; its top bit is set if it is not
	Command     []string
	Port        int      // of the HTTP bridge; 0 for a raw Cap'n Proto app (-r)
	SourcePaths []string // of -I, instead of the default
	IncludeAll  bool     // of -A: everything in SourcePaths is packed
}
