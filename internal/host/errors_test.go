package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

func TestErrorsCrossTheWire(t *testing.T) {
	start := &StartError{Step: "mount /var", Errno: "EACCES", Hint: "look"}
	for _, tt := range []struct {
		name string
		err  error
		kind sandstorm.Kind
		key  string
		args map[string]string
		data *StartError
	}{
		{"plain", errors.New("oops"), sandstorm.Internal, "", nil, nil},
		{"known", sandstorm.Errorf(sandstorm.Fenced, "grain.fenced", "epoch").With("a", "b"), sandstorm.Fenced, "grain.fenced", map[string]string{"a": "b"}, nil},
		{"wrapped", fmt.Errorf("more: %w", sandstorm.Errorf(sandstorm.NotFound, "k", "x")), sandstorm.NotFound, "k", nil, nil},
		{"start", sandstorm.Errorf(sandstorm.Unavailable, "grain.start", "no: %w", start), sandstorm.Unavailable, "grain.start", nil, start},
	} {
		got := decodeError(EncodeError(tt.err))
		var known *sandstorm.Error
		if !errors.As(got, &known) || known.Kind != tt.kind || known.Key != tt.key || !reflect.DeepEqual(known.Args, tt.args) {
			t.Errorf("%s: became %#v", tt.name, known)
		}
		if got.Error() != tt.err.Error() {
			t.Errorf("%s: text %q, was %q", tt.name, got, tt.err)
		}
		var data *StartError
		if errors.As(got, &data) != (tt.data != nil) || tt.data != nil && *data != *tt.data {
			t.Errorf("%s: data %+v, want %+v", tt.name, data, tt.data)
		}
	}
}

// TestEndlessErrorsFit: an error must never be too large to be sent.
func TestEndlessErrorsFit(t *testing.T) {
	for _, size := range []int{maxDetail - 10, 1 << 20} {
		long := strings.Repeat("\x01", size)
		err := sandstorm.Errorf(sandstorm.Invalid, "key", "%s %w", long, &StartError{Step: long}).With("a", long)
		e := EncodeError(err)
		data, merr := json.Marshal(wire.Message{Error: e})
		if merr != nil || len(data) > wire.MaxMessage || e.Key != "key" {
			t.Errorf("an error of %d bytes becomes a message of %d, %v", size, len(data), merr)
		}
	}
}
