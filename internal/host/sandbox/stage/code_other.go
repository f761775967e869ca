//go:build !amd64

package stage

func code() ([]byte, error) { return nil, ErrUnsupported }
