package sandstorm

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an error is, and with it the HTTP status and
// the exit code that people and scripts see.
type Kind uint8

// The kinds of error. Unmarked errors count as Internal.
const (
	Internal    Kind = iota // a defect or a broken machine; details stay in the log
	NotFound                // the thing named does not exist, or may not be known to exist
	Denied                  // the caller may not do this
	Invalid                 // the input is malformed
	Conflict                // the state forbids it now (already exists, in the trash, …)
	TooLarge                // a limit on size was exceeded
	Exhausted               // a quota or rate limit was reached
	Unavailable             // something needed is down; trying again may help
	Fenced                  // the caller's lease on the grain was taken over
)

var kinds = [...]struct {
	name   string
	status int
	exit   int
}{
	Internal:    {"internal", 500, 1},
	NotFound:    {"not-found", 404, 3},
	Denied:      {"denied", 403, 4},
	Invalid:     {"invalid", 400, 1},
	Conflict:    {"conflict", 409, 1},
	TooLarge:    {"too-large", 413, 1},
	Exhausted:   {"exhausted", 429, 1},
	Unavailable: {"unavailable", 503, 1},
	Fenced:      {"fenced", 409, 1},
}

// String is the kind's name in logs and on the wire.
func (k Kind) String() string { return kinds[k].name }

// HTTPStatus is the status of a response that reports an error of this kind.
func (k Kind) HTTPStatus() int { return kinds[k].status }

// ExitCode is what a command exits with: 1 failure, 3 not found, 4 denied.
// (2, wrong usage, is the command line's own.)
func (k Kind) ExitCode() int { return kinds[k].exit }

// ParseKind is the inverse of Kind.String; an unknown name is Internal.
func ParseKind(name string) Kind {
	for k := range kinds {
		if kinds[k].name == name {
			return Kind(k)
		}
	}
	return Internal
}

// Error is an error that knows its kind and what a person may be told of it.
//
// Key names a message of the catalogue's "error" area; with Args it is all that
// reaches a browser. Err carries the details for the log. An Internal error
// shows only a request id, because messages leak paths and tokens.
type Error struct {
	Kind Kind
	Key  string            // message key, for example "package.bad-signature"
	Args map[string]string // what the message's placeholders stand for
	Err  error             // the cause, for the log; may be nil
}

// Errorf makes an Error whose cause is formatted as by fmt.Errorf.
func Errorf(kind Kind, key, format string, args ...any) *Error {
	return &Error{Kind: kind, Key: key, Err: fmt.Errorf(format, args...)}
}

// With returns a copy of the error with one more argument for its message.
func (e *Error) With(name, value string) *Error {
	out := *e
	out.Args = make(map[string]string, len(e.Args)+1)
	for k, v := range e.Args {
		out.Args[k] = v
	}
	out.Args[name] = value
	return &out
}

// Error is the text for logs and for the command line's details.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return e.Key
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first Error in err's chain, else Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// IsKind reports whether err is an error of that kind; nil is of none.
func IsKind(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
