package scaffold

import (
	"strconv"
	"strings"
)

// portMark stands for the port in what the kinds of apps find, until it is
// known.
const portMark = "@PORT@"

// template is what of a Found depends on the port.
type template struct {
	command []string
	environ [][2]string
	setup   string
}

// SetPort changes the port in the command, the environment and the launcher.
func (f *Found) SetPort(port int) {
	if f.marked == nil {
		f.marked = &template{f.Command, f.Environ, f.Setup}
	}
	fill := func(s string) string { return strings.ReplaceAll(s, portMark, strconv.Itoa(port)) }
	f.Port, f.Setup = port, fill(f.marked.setup)
	f.Command = make([]string, len(f.marked.command))
	for i, word := range f.marked.command {
		f.Command[i] = fill(word)
	}
	f.Environ = make([][2]string, len(f.marked.environ))
	for i, kv := range f.marked.environ {
		f.Environ[i] = [2]string{kv[0], fill(kv[1])}
	}
}
