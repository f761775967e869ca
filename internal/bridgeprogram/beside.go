//go:build !bridge

package bridgeprogram

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// executable is os.Executable, except in tests.
var executable = os.Executable

func program() ([]byte, error) {
	self, err := executable()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(filepath.Dir(self), Name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("this tool was built without it and %s does not exist: build the tool with `make build`", path)
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSize+1))
}
