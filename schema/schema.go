// Package schema is the contract with apps and the package format: the Cap'n
// Proto schemas in sandstorm/ and the Go code made from them by generate.sh.
//
// All ids and ordinals are those that existing apps, packages and tools use
// (packages.md §3, powerbox.md §2, gateway.md §13): they never change. All files
// share this one Go package, so nested types carry their parent's name, for
// example Manifest_Action.
package schema

import "embed"

// Files holds the schemas under sandstorm/, as package definitions import them.
//
//go:embed sandstorm/*.capnp
var Files embed.FS
