package locale

import (
	"errors"

	"github.com/sandstorm-go/sandstorm"
)

// Error is what a person may be told of an error. Of an internal one that is
// nothing: its text leaks paths and tokens.
func (l *Locale) Error(err error) string {
	var e *sandstorm.Error
	if !errors.As(err, &e) || e.Kind == sandstorm.Internal {
		return l.T("error.internal")
	}
	return l.ErrorKey(e.Key, e.Kind, e.Args)
}

// ErrorKey is the message of an error key, or that of its kind if there is no
// such key.
func (l *Locale) ErrorKey(key string, kind sandstorm.Kind, args map[string]string) string {
	pairs := make([]any, 0, 2*len(args))
	for k, v := range args {
		pairs = append(pairs, k, v)
	}
	for _, id := range []string{"error." + key, "error.kind." + kind.String()} {
		if l.Has(id) {
			return l.T(id, pairs...)
		}
	}
	return l.T("error.internal")
}
