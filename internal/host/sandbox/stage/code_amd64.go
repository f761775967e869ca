package stage

import (
	"bytes"
	"errors"
	"unsafe"
)

// stage is the machine code of every stage. It is never called: its bytes are
// copied out of our own text into the executables that Image makes.
//
//lint:ignore U1000 stageAddr refers to it
func stage()

// stageAddr returns where stage lies.
func stageAddr() unsafe.Pointer

// endMark follows the code of stage.
var endMark = []byte("\x0f\x0b\x0f\x0bend of stage")

// maxCode is more than the code will ever need; it must fit into a page
// together with the headers of the executable.
const maxCode = 2048

func code() ([]byte, error) {
	text := unsafe.Slice((*byte)(stageAddr()), maxCode)
	n := bytes.Index(text, endMark)
	if n < 0 {
		return nil, errors.New("stage: end of machine code not found")
	}
	return bytes.Clone(text[:n]), nil
}
