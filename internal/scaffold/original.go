package scaffold

import (
	"fmt"
	"strconv"
	"strings"
)

// Original returns the definition that `spk init -- CMD` writes (packages.md
// §9): the values are the original's, the comments ours.
func Original(o OriginalOptions) string {
	var b strings.Builder
	fmt.Fprintf(&b, `@0x%016x;

using Spk = import "/sandstorm/package.capnp";
# The schema of package definitions; 'spk' has it built in.

const pkgdef :Spk.PackageDefinition = (
  id = %s,
  # The app's public key. Its secret half must be in your key ring.

  manifest = (
    appTitle = (defaultText = "Example App"),
    appVersion = 0,  # Grows with each release.
    appMarketingVersion = (defaultText = "0.0.0"),  # What people see.

    actions = [
      # Each is an entry in the list of what a user can make with the app.
      ( title = (defaultText = "New Example"),
        nounPhrase = (defaultText = "example"),
        command = .myCommand )
    ],

    continueCommand = .myCommand
    # Starts a grain that is there already.
  ),

`, o.FileID|1<<63, quote(o.AppID))
	b.WriteString("  sourceMap = (\n    # Places to look for the package's files, in this order.\n    searchPath = [\n")
	for i, m := range o.mappings() {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString("      " + mapping(m))
	}
	fmt.Fprintf(&b, "\n    ]\n  ),\n\n  fileList = %s,\n  # 'spk dev' adds to it what the app is seen using.\n\n", quote(filesList))
	if o.IncludeAll {
		b.WriteString("  alwaysInclude = [\".\"]\n  # Everything in the source map is packed.\n")
	} else {
		b.WriteString("  alwaysInclude = []\n  # Files and whole directories to pack though they were not seen in use.\n")
	}
	b.WriteString(");\n\nconst myCommand :Spk.Manifest.Command = (\n  # How the app is started.\n")
	argv := o.Command
	if o.Port != 0 {
		argv = append([]string{"/sandstorm-http-bridge", strconv.Itoa(o.Port), "--"}, o.Command...)
	}
	b.WriteString("  argv = " + quoteAll(argv) + ",\n  environ = [\n    # All of the app's environment.\n")
	b.WriteString(keyValues([][2]string{{"PATH", basePath}, {"SANDSTORM", "1"}}))
	b.WriteString("  ]\n);\n")
	return b.String()
}

func (o OriginalOptions) mappings() []Mapping {
	if o.SourcePaths == nil {
		return []Mapping{{SourcePath: "."}, {SourcePath: "/", HidePaths: hidden}}
	}
	var list []Mapping
	for _, p := range o.SourcePaths {
		list = append(list, Mapping{SourcePath: p})
	}
	return list
}
