package scaffold

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// filesList is where the files that were found by running the app are listed.
const filesList = "sandstorm-files.list"

// basePath is the PATH of the app.
const basePath = "/usr/local/bin:/usr/bin:/bin"

const header = `@0x%016x;
# How %s becomes a Sandstorm package. 'spk init' wrote this file
# once; from now on it is yours.
#
#   spk dev            run it from here on your own server; lists what it uses
#   spk pack app.spk   make a package of it
`

// Definition returns a package definition for what was found, in the Cap'n
// Proto language. Its pkgdef has everything that is needed to run and pack the
// app; what more there is to say stands in comments. The top bit of fileID, the
// id of the file, is set if it is not.
func Definition(f *Found, appID string, fileID uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, header, fileID|1<<63, plainNote(f.Title))
	if len(f.Notes) > 0 {
		b.WriteString("#\n# To check:\n")
		for _, n := range f.Notes {
			b.WriteString(strings.Replace(comment("", "  ", n), "#   ", "# - ", 1))
		}
	}
	b.WriteString(`
using Spk = import "/sandstorm/package.capnp";

const pkgdef :Spk.PackageDefinition = (
  id = ` + quote(appID) + `,
  # The app's public key. The secret one is in your key ring; whoever loses it
  # cannot publish updates.

`)
	f.manifest(&b)
	f.sources(&b)
	b.WriteString(`
  bridgeConfig = (
    viewInfo = ()
    # Everybody with whom a grain is shared may do everything. If the app can
    # tell people apart, by the request header X-Sandstorm-Permissions:
    #
    # viewInfo = (
    #   permissions = [(name = "edit", title = (defaultText = "change"))],
    #   roles = [
    #     (title = (defaultText = "editor"), permissions = [true], default = true,
    #      verbPhrase = (defaultText = "can change everything")),
    #     (title = (defaultText = "reader"), permissions = [false],
    #      verbPhrase = (defaultText = "can only read"))
    #   ]
    # )
  )
);
`)
	f.command(&b)
	return b.String()
}

func (f *Found) manifest(b *strings.Builder) {
	fmt.Fprintf(b, `  manifest = (
    appTitle = (defaultText = %s),
    appMarketingVersion = (defaultText = %s),
    appVersion = 0,
    # Must grow with each release; people see only the marketing version.

    actions = [(
      title = (defaultText = %s),
      nounPhrase = (defaultText = "document"),
      # What one grain of the app is to its users.
      command = .command
    )],
    continueCommand = .command,
    # Starts a grain that has been there before.
`, quote(f.Title), quote(f.Version), quote("New "+f.Title))
	b.WriteString("\n    metadata = (\n")
	b.WriteString("      # For the app market: description, icons, screenshots, categories, ...\n")
	if f.Website != "" {
		fmt.Fprintf(b, "      website = %s,\n", quote(f.Website))
	}
	if f.License != "" {
		fmt.Fprintf(b, "      license = (openSource = %s)\n", f.License)
	} else {
		b.WriteString("      # license = (openSource = mit)\n")
	}
	b.WriteString("    )\n  ),\n")
}

func (f *Found) sources(b *strings.Builder) {
	b.WriteString("\n  sourceMap = (\n    searchPath = [\n      # Where the files of the package are here. The first that has one counts.\n")
	// Of an image, too, only what is used is packed.
	traced := len(f.Include) == 0
	for i, m := range f.Sources {
		comma := ","
		if i == len(f.Sources)-1 {
			comma = ""
		}
		b.WriteString("      " + mapping(m) + comma + "\n")
		traced = traced || m.SourcePath == "/"
	}
	b.WriteString("    ]\n  ),\n")
	if traced {
		fmt.Fprintf(b, "\n  fileList = %s,\n  # The files that the app was seen using under 'spk dev'; use all of it there.\n", quote(filesList))
	}
	if len(f.Include) > 0 {
		fmt.Fprintf(b, "\n  alwaysInclude = %s,\n  # Packed whether they were seen in use or not.\n", quoteAll(f.Include))
	}
}

func mapping(m Mapping) string {
	var parts []string
	if m.PackagePath != "" {
		parts = append(parts, "packagePath = "+quote(m.PackagePath))
	}
	line := strings.Join(append(parts, "sourcePath = "+quote(m.SourcePath)), ", ")
	if len(m.HidePaths) > 0 {
		line += ",\n       hidePaths = " + quoteAll(m.HidePaths)
	}
	return "(" + line + ")"
}

func (f *Found) command(b *strings.Builder) {
	b.WriteString("\nconst command :Spk.Manifest.Command = (\n")
	b.WriteString(comment("  ", "", fmt.Sprintf("The bridge waits until the app answers on 127.0.0.1:%d. Only /var can be written and is kept; there is no network.", f.Port)))
	argv := append([]string{"/sandstorm-http-bridge", strconv.Itoa(f.Port), "--"}, f.Command...)
	environ := append([][2]string{{"PATH", basePath}, {"SANDSTORM", "1"}}, f.Environ...)
	b.WriteString("  argv = " + quoteAll(argv) + ",\n  environ = [\n")
	b.WriteString(keyValues(environ))
	b.WriteString("  ]\n);\n")
}

// keyValues writes variables, each once: the last value counts.
func keyValues(environ [][2]string) string {
	var lines []string
	for i, kv := range environ {
		if slices.ContainsFunc(environ[i+1:], func(later [2]string) bool { return later[0] == kv[0] }) {
			continue
		}
		lines = append(lines, fmt.Sprintf("    (key = %s, value = %s)", quote(kv[0]), quote(kv[1])))
	}
	return strings.Join(lines, ",\n") + "\n"
}
