package scaffold

import (
	"path"
	"strings"
)

// dataDir is where apps are told to keep their data.
const dataDir = "/var/data"

// launcher returns a script that starts a command in the app's directory, after
// some lines of shell that we wrote.
func launcher(before, command []string) string {
	var b strings.Builder
	b.WriteString(`#!/bin/sh
# Runs each time that a grain of this app starts, with an empty /var the first
# time. Only /var keeps what is written; /tmp is small and emptied at each start.
set -eu
mkdir -p ` + dataDir + `
cd ` + appDir + `
`)
	for _, line := range before {
		b.WriteString(line + "\n")
	}
	words := make([]string, len(command))
	for i, w := range command {
		words[i] = shellWord(w)
	}
	b.WriteString("exec " + strings.Join(words, " ") + "\n")
	return b.String()
}

// shellWord quotes a word for a shell.
func shellWord(s string) string {
	if isPlain(strings.ReplaceAll(s, portMark, portWord)) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// inApp is the path of one of the app's files in the package.
func inApp(name string) string { return path.Join(appDir, path.Clean("/"+name)) }
