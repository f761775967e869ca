// Sandstorm-http-bridge is the program that packages carry for servers which run
// the HTTP bridge inside the grain (sandbox.md §3). This project's own server
// does not run it: there only the app's command runs in the sandbox, and the
// server itself speaks HTTP to the app.
//
// This release starts and watches the app as the contract says; the Cap'n Proto
// side, through which other servers send their requests, is not in it yet. It
// lies in each package, so it is kept small: no fmt, no net, no flag.
package main

import (
	"os"
	"strconv"
	"strings"
)

// version counts the changes to what this program does. It is not the release
// that built it: releases that change nothing here must not change packages.
const version = "1"

const usage = `Usage: sandstorm-http-bridge PORT [--] COMMAND [ARGUMENT...]

Runs COMMAND inside a grain, waits until it serves HTTP on 127.0.0.1:PORT, and
ends with COMMAND's exit status when COMMAND ends. Signals are passed on.

  --help       print this text
  --version    print the version

Not in this release: the Cap'n Proto side of the bridge, by which servers other
than Sandstorm in Go pass requests to the app. A package with this bridge works
on a Sandstorm in Go server, which does without a bridge in the grain. On a
server that needs it the bridge says so in the grain's log and exits.
`

func main() {
	args, err := parseArgs(os.Args[1:])
	switch {
	case err != "":
		complain(err + "\nTry --help.")
		os.Exit(2)
	case args.help:
		os.Stdout.WriteString(usage)
		return
	case args.version:
		os.Stdout.WriteString("sandstorm-http-bridge " + version + ", of Sandstorm in Go\n")
		return
	case serverWantsBridge():
		complain("this server expects the bridge inside the grain to speak Cap'n Proto on descriptor 3, " +
			"which this release of the bridge cannot do yet: the app would start, but every visitor would wait for ever. " +
			"Run the package on a Sandstorm in Go server, or pack it with the bridge of the original Sandstorm.")
		os.Exit(1)
	}
	os.Exit(run(args))
}

// arguments are the command line's.
type arguments struct {
	port          int
	command       []string
	help, version bool
}

// parseArgs understands what the original does: options before the command, and
// "--" either before the port or after it.
func parseArgs(list []string) (args arguments, problem string) {
	if len(list) > 0 && strings.HasPrefix(list[0], "-") && list[0] != "--" {
		switch list[0] {
		case "--help":
			return arguments{help: true}, ""
		case "--version":
			return arguments{version: true}, ""
		}
		return args, "unknown option " + list[0]
	}
	list = skipDashes(list)
	if len(list) == 0 {
		return args, "the port and the command are missing"
	}
	port, err := strconv.Atoi(list[0])
	if err != nil || port < 1 || port > 65535 {
		return args, "the port is " + strconv.Quote(list[0]) + ", not a number from 1 to 65535"
	}
	args.port, args.command = port, skipDashes(list[1:])
	if len(args.command) == 0 {
		return args, "the command to run is missing"
	}
	return args, ""
}

func skipDashes(list []string) []string {
	if len(list) > 0 && list[0] == "--" {
		return list[1:]
	}
	return list
}

// complain writes to the grain's log.
func complain(text string) { os.Stderr.WriteString("** HTTP-BRIDGE: " + text + "\n") }
