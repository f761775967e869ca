package capnplang

import (
	"embed"
	"io/fs"
)

// ownFiles are declarations of Cap'n Proto's own files that schemas import: ids
// and names are theirs, the text is ours.
//
//go:embed builtin
var ownFiles embed.FS

func ownSchemas() fs.FS {
	sub, err := fs.Sub(ownFiles, "builtin")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}
