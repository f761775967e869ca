package bridge

import (
	"errors"

	"github.com/sandstorm-go/sandstorm"
)

// ErrAborted is returned by App.Serve when a response was begun and cannot be
// finished. The caller must break the client's connection (or reset its HTTP/2
// stream), so that a truncated body never looks whole (gateway.md §5).
var ErrAborted = errors.New("bridge: response aborted")

// Failure is why there is no response to pass on; nothing was sent to the
// client. It unwraps to the *sandstorm.Error.
type Failure struct {
	Status int  // HTTP status for the client
	Unsent bool // the app saw nothing of the request: it may be tried again
	Err    error
}

// Error is the text for the log.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the error with its kind and message key.
func (f *Failure) Unwrap() error { return f.Err }

func fail(status int, kind sandstorm.Kind, key, format string, args ...any) *Failure {
	return &Failure{Status: status, Err: sandstorm.Errorf(kind, key, format, args...)}
}

func badRequest(format string, args ...any) *Failure {
	return fail(400, sandstorm.Invalid, "bridge.bad-request", format, args...)
}

func badResponse(format string, args ...any) *Failure {
	return fail(502, sandstorm.Unavailable, "bridge.bad-response", format, args...)
}

// noAnswer is for an app that broke off before it answered.
func noAnswer(err error) *Failure {
	return fail(502, sandstorm.Unavailable, "bridge.no-answer", "the app did not answer: %w", err)
}

func clientGone(err error) *Failure {
	status := 400
	if isTimeout(err) {
		status = 408
	}
	return fail(status, sandstorm.Invalid, "bridge.client-gone", "the client broke off: %w", err)
}
