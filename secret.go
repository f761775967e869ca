package sandstorm

import "log/slog"

// Secret is text that must not reach a log, an error or a JSON document: it
// prints as "***" everywhere. Reveal is the only way to the value, which makes
// its uses easy to find.
type Secret string

const hidden = "***"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the value from fmt.
func (s Secret) String() string { return hidden }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return hidden }

// LogValue hides the value from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the value from encoding/json and its like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

var _ slog.LogValuer = Secret("")
