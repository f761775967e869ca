package host

import (
	"encoding/json"
	"errors"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// maxDetail bounds each part of an error on the wire, in bytes, so that no error
// outgrows a message even if every byte of it has to be escaped.
const maxDetail = 2 << 10

// EncodeError turns an error of the host process into its form on the wire:
// kind, key and arguments of the first sandstorm.Error in the chain, the text,
// and the StartError if there is one.
func EncodeError(err error) *wire.Error {
	out := &wire.Error{Kind: sandstorm.KindOf(err).String(), Detail: err.Error()}
	if len(out.Detail) > maxDetail {
		out.Detail = out.Detail[:maxDetail]
	}
	var known *sandstorm.Error
	if errors.As(err, &known) {
		out.Key = known.Key
		out.Args = boundArgs(known.Args)
	}
	var start *StartError
	if errors.As(err, &start) {
		out.Start, _ = json.Marshal(start) // three strings always marshal
		if len(out.Start) > maxDetail {
			out.Start = nil
		}
	}
	return out
}

// boundArgs drops the arguments of a message that are absurdly long.
func boundArgs(args map[string]string) map[string]string {
	size := 0
	for k, v := range args {
		size += len(k) + len(v)
	}
	if size > maxDetail {
		return nil
	}
	return args
}

// decodeError is the inverse of EncodeError.
func decodeError(e *wire.Error) error {
	out := &sandstorm.Error{Kind: sandstorm.ParseKind(e.Kind), Key: e.Key, Args: e.Args}
	cause := &remoteError{detail: e.Detail}
	if e.Start != nil {
		start := new(StartError)
		if json.Unmarshal(e.Start, start) == nil {
			cause.start = start
		}
	}
	out.Err = cause
	return out
}

// remoteError is what went wrong in the host process.
type remoteError struct {
	detail string
	start  *StartError
}

func (e *remoteError) Error() string { return e.detail }

func (e *remoteError) Unwrap() error {
	if e.start == nil {
		return nil // a nil *StartError in an error would not be nil
	}
	return e.start
}

// down is the error of a call that lost its host process.
func down(err error) error {
	return sandstorm.Errorf(sandstorm.Unavailable, "host.down", "host process: %w", err)
}
