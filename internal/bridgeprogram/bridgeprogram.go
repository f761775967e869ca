// Package bridgeprogram holds cmd/sandstorm-http-bridge as a file, to be put into
// packages (packages.md §5). `make build` embeds it; a program that was built
// without the build tag "bridge" looks for it next to itself.
package bridgeprogram

import (
	"bytes"
	"errors"
	"fmt"
)

// Name is the program's name in a package and next to our own programs.
const Name = "sandstorm-http-bridge"

// maxSize bounds what is read, in bytes; the program has about 1.5 million.
const maxSize = 16 << 20

// Program returns the bridge, a static program for amd64. Equal builds return
// equal bytes, so that packages can be made again byte for byte. The caller
// must not change the slice.
func Program() ([]byte, error) {
	b, err := program()
	if err != nil {
		return nil, fmt.Errorf("%s, which has to go into the package: %w", Name, err)
	}
	if len(b) > maxSize || !bytes.HasPrefix(b, []byte("\x7fELF")) {
		return nil, errors.New(Name + " is not a program: build this tool with `make build`")
	}
	return b, nil
}
