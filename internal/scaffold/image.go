package scaffold

import (
	"path"
	"slices"
	"strings"
)

// ImageOptions are what a container image says about its program.
type ImageOptions struct {
	Title, Version string
	Source         string   // as it is given to --from
	Argv           []string // the program by its absolute path
	Env            []string // KEY=VALUE
	WorkDir        string   // where the program wants to be started; absolute
	VarDir         string   // where the image's own files of /var are now, or empty
	Ports          []int
	Volumes        []string
}

// FromImage says how the program of an image is started in a grain. Where the
// program wants another directory than the root, or files in /var, a line of
// shell prepares that; so the image has to have a shell.
func FromImage(o ImageOptions) *Found {
	f := &Found{
		Kind: Generic, Title: titleOf(o.Title, ""), Version: versionOf(o.Version),
		Port: defaultPort, Command: o.Argv, Sources: []Mapping{{SourcePath: "."}},
	}
	var prepare []string
	if o.VarDir != "" {
		prepare = append(prepare, "[ -e /var/.prepared ] || { cp -R "+shellWord(o.VarDir+"/.")+" /var && : > /var/.prepared; }")
	}
	if dir := path.Clean("/" + o.WorkDir); dir != "/" {
		prepare = append(prepare, "cd "+shellWord(dir))
	}
	if prepare != nil {
		f.Command = append([]string{"/bin/sh", "-c", strings.Join(append(prepare, `exec "$0" "$@"`), " && ")}, o.Argv...)
	}
	for _, kv := range o.Env {
		if key, value, ok := strings.Cut(kv, "="); ok && key != "" {
			f.Environ = append(f.Environ, [2]string{key, value})
		}
	}
	if !slices.ContainsFunc(f.Environ, func(kv [2]string) bool { return kv[0] == "HOME" }) {
		f.Environ = append(f.Environ, [2]string{"HOME", "/var"})
	}
	f.note("The files come from the image: pack with 'spk pack --from %s'.", o.Source)
	switch {
	case len(o.Ports) == 0:
		f.note("The image does not say on which port its program listens; %d is a guess.", f.Port)
	case o.Ports[0] < 1024:
		f.Port = o.Ports[0]
		f.note("The program listens on port %d, which an ordinary user cannot: tell it to listen on one from 1024 on, and write that into the command.", o.Ports[0])
	default:
		f.Port = o.Ports[0]
	}
	for _, v := range o.Volumes {
		if v != "/var" && !strings.HasPrefix(v, "/var/") {
			f.note("The image keeps its data in %s; in a grain only /var can be written: tell the program.", v)
		}
	}
	return f
}
